// All daemons of the group, and the incidents that go on in all of their streams; nothing where this daemon is by itself.

import { request } from './access.js';
import { clock, count } from './format.js';

const SECONDS = 3;

export class FleetPanel {
  constructor(pane) {
    this.pane = pane;
    this.asked = 0;
  }

  /** Asks again every few seconds, where this daemon is a member of a group. */
  async refresh(status) {
    this.pane.hidden = !status.partitions;
    if (!status.partitions || Date.now() - this.asked < 1000 * SECONDS) return;
    this.asked = Date.now();
    const answer = await request('api/v1/fleet?limit=20').catch(() => null);
    if (answer?.ok) this.draw(await answer.json());
  }

  draw(fleet) {
    const [nodes, incidents] = this.pane.querySelectorAll('tbody');
    this.pane.querySelector('p').textContent =
      `group ${fleet.group}: scored ${count(fleet.books.scored)} of ${count(fleet.books.received)} received`;
    nodes.replaceChildren(...fleet.nodes.map(node => row([
      node.instance, node.partitions.join(' '), count(node.streams), count(node.open_incidents),
      node.is_stopped ? 'stopped' : node.is_away ? `away since ${clock(node.at)}` : node.troubles[0] ?? 'well',
    ], node.is_away || node.troubles.length > 0)));
    incidents.replaceChildren(...fleet.incidents.map(incident => row([
      incident.severity, incident.stream, incident.node, clock(incident.onset), incident.explanation,
    ], incident.severity === 'critical')));
    this.pane.querySelector('table.incidents').hidden = fleet.incidents.length === 0;
  }
}

function row(texts, bad) {
  const line = document.createElement('tr');
  line.classList.toggle('bad', bad);
  line.append(...texts.map(text => {
    const cell = document.createElement('td');
    cell.textContent = text;
    return cell;
  }));
  return line;
}
