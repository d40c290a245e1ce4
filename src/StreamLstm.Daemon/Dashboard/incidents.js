// Incidents, those of one cause in one line: filtered, in order, by pages; what people say of them, of one or of many.

import { request } from './access.js';
import { acceptButton, acknowledgeButton, labelButtons, labelWord, lookedAfter, sayOf } from './label.js';
import { bounds } from './range.js';
import { moment, duration, count, again } from './format.js';

const pageSize = 25;
const membersShown = 25;

export class IncidentPane {
  constructor(pane, { onOpen, onLoad }) {
    this.pane = pane;
    this.onOpen = onOpen;
    this.onLoad = onLoad;
    this.table = pane.querySelector('#incidents');
    this.filters = pane.querySelector('#incident-filters');
    this.pager = pane.querySelector('#pager');
    this.bulk = pane.querySelector('#bulk');
    this.quiet = pane.querySelector('#quiet');
    this.groups = [];
    this.total = 0;
    this.offset = 0;
    this.opened = new Set();    // ids of the groups whose members are shown
    this.marked = new Set();    // ids of incidents that a word is to be said of
    this.chosen = null;         // id of the incident whose particulars are shown
    this.particulars = null;

    this.filters.addEventListener('submit', event => event.preventDefault());
    this.filters.addEventListener('input', () => {
      this.offset = 0;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.load(), 150);
    });
    const [earlier, later] = this.pager.querySelectorAll('button');
    earlier.addEventListener('click', () => this.page(-pageSize));
    later.addEventListener('click', () => this.page(pageSize));
    for (const button of this.bulk.querySelectorAll('button')) button.addEventListener('click', () => this.sayOfMarked(button.value));
  }

  show(range) {
    this.range = range;
    if (this.filters.elements.within.checked) this.load();
  }

  page(step) {
    this.offset = Math.max(0, this.offset + step);
    this.load();
  }

  async load() {
    const { text, state, severity, label, order, within } = this.filters.elements;
    const query = new URLSearchParams({ grouped: true, members: membersShown, limit: pageSize, offset: this.offset, order: order.value });
    for (const [name, value] of [['filter', text.value.trim()], ['state', state.value], ['severity', severity.value], ['label', label.value]]) if (value) query.set(name, value);
    if (within.checked) {
      const { from, to } = bounds(this.range);
      query.set('since', new Date(from).toISOString());
      query.set('until', new Date(to).toISOString());
    }
    this.isFiltered = query.size > 5;
    const asked = this.latest = Symbol('asked');
    const answer = await request(`api/v1/incidents?${query}`).catch(() => null);
    if (asked !== this.latest || !answer?.ok) return;
    ({ groups: this.groups, total: this.total } = await answer.json());
    if (this.groups.length === 0 && this.offset > 0 && this.total > 0) return this.page(-pageSize);
    if (this.chosen) await this.loadChosen();
    this.draw();
    this.onLoad();
  }

  async loadChosen() {
    const id = this.chosen;
    const answer = await request(`api/v1/incidents/${encodeURIComponent(id)}`).catch(() => null);
    const found = answer?.ok ? await answer.json() : null;
    if (id === this.chosen) this.particulars = found;
    return found;
  }

  /** Shows what is known of an incident; null for none. */
  async choose(id) {
    [this.chosen, this.particulars] = [id, null];
    const found = id ? await this.loadChosen() : null;
    this.draw();
    return found;
  }

  draw() {
    const body = this.table.tBodies[0];
    this.quiet.hidden = this.total > 0;
    this.quiet.textContent = this.isFiltered ? 'No incident is like this.' : 'None. When something is wrong, it is said here, with the reason.';
    this.table.hidden = this.total === 0;
    this.pager.hidden = this.total <= pageSize;
    this.pager.querySelector('output').textContent = `${count(this.offset + 1)} to ${count(Math.min(this.total, this.offset + pageSize))} of ${count(this.total)}`;
    const [earlier, later] = this.pager.querySelectorAll('button');
    earlier.disabled = this.offset === 0;
    later.disabled = this.offset + pageSize >= this.total;
    this.drawBulk();
    // A row that is drawn anew loses the focus, a text that is being written, and a click that had begun on it.
    const drawn = JSON.stringify([this.groups, this.chosen, this.particulars, [...this.opened]]);
    if (drawn === this.drawn) return this.tick();
    this.drawn = drawn;
    const focused = document.activeElement?.closest?.('#incidents tr')?.dataset.id;
    body.replaceChildren(...this.groups.flatMap(group => {
      // What is alone in its group ended when that did.
      const members = group.members.map(member => this.incidentRow(group.size === 1 ? { ...member, closed_at: group.closed_at } : member));
      if (group.size === 1) return members;
      if (!this.isOpened(group)) return [this.groupRow(group)];
      for (const row of members) row.classList.add('member');
      return [this.groupRow(group), ...members, ...more(group)];
    }));
    if (focused) [...body.rows].find(row => row.dataset.id === focused)?.focus();
  }

  /** What is open lasts longer. */
  tick() {
    for (const row of this.table.tBodies[0].rows) if (row.timed) row.querySelector('.lasted').textContent = lasted(row.timed);
  }

  isOpened(group) {
    return this.opened.has(group.id) || group.members.some(member => member.incident_id === this.chosen);
  }

  /** One line for what began together; it opens to its members, the strongest first. */
  groupRow(group) {
    const strongest = group.members[0];
    const said = new Set(group.members.map(member => member.label?.label));
    const row = this.newRow(group.id, group.members.map(member => member.incident_id), group, [
      ['severity', group.severity], ['stream', `${group.size} streams`], ['', strongest.kind.replace('_', ' ')], ['', moment(group.onset)],
      ['lasted', lasted(group)], ['', Math.round(group.max_score)], ['why', `${lookedAfter(group.members.find(member => member.acknowledged))}${said.size === 1 && !said.has(undefined) ? `${labelWord(strongest.label)}: ` : ''}${group.title}`],
    ], () => {
      if (this.isOpened(group)) {
        this.opened.delete(group.id);
        if (group.members.some(member => member.incident_id === this.chosen)) this.chosen = null;
      } else {
        this.opened.add(group.id);
      }
      this.onOpen(strongest, group, null);
      this.draw();
    });
    row.classList.add('group');
    row.querySelector('.stream').firstChild.setAttribute('aria-expanded', this.isOpened(group));
    row.setAttribute('data-expanded', this.isOpened(group));
    return row;
  }

  incidentRow(member) {
    const incident = this.chosen === member.incident_id && this.particulars ? { ...member, ...this.particulars } : member;
    const label = incident.label;
    const row = this.newRow(incident.incident_id, [incident.incident_id], incident, [
      ['severity', incident.severity], ['stream', incident.stream], ['', incident.kind.replace('_', ' ')], ['', moment(incident.onset)],
      ['lasted', lasted(incident)], ['', Math.round(incident.max_score)],
      ['why', `${lookedAfter(incident)}${label ? `${labelWord(label)}: ` : ''}${label?.note ? `${label.note} · ` : ''}${incident.explanation}${again(incident) ? ` (${again(incident)})` : ''}`],
    ], async () => {
      const isClosing = this.chosen === incident.incident_id;
      const found = await this.choose(isClosing ? null : incident.incident_id);
      this.onOpen(incident, found ?? incident, isClosing ? null : incident.incident_id);
    });
    if (incident.incident_id === this.chosen) {
      row.classList.add('chosen');
      row.lastChild.append(shares(incident.attribution ?? {}), this.answers(incident, label));
    }
    return row;
  }

  /** A line of the table that is picked by a click or the enter key. */
  newRow(id, incidents, timed, cells, pick) {
    const row = document.createElement('tr');
    row.tabIndex = -1;
    row.dataset.id = id;
    row.timed = timed;
    if (timed.state === 'closed') row.classList.add('closed');
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.setAttribute('aria-label', `Mark ${cells[1][1]}`);
    box.checked = incidents.every(one => this.marked.has(one));
    box.addEventListener('click', event => event.stopPropagation());
    box.addEventListener('change', () => {
      for (const one of incidents) if (box.checked) this.marked.add(one); else this.marked.delete(one);
      this.drawBulk();
    });
    row.insertCell().append(box);
    for (const [name, text] of cells) {
      const cell = row.insertCell();
      cell.className = name === 'severity' ? `severity ${timed.severity}` : name;
      if (name === 'stream') {
        const button = document.createElement('button');
        button.className = 'plain';
        button.textContent = text;
        cell.append(button);
      } else {
        cell.textContent = text;
      }
    }
    row.addEventListener('click', event => event.target.closest('input, .label') || pick());
    row.addEventListener('keydown', event => event.key === 'Enter' && event.target === row && pick());
    return row;
  }

  /** What may be said of the incident: what it was, and while it goes on that it is the new normal. */
  answers(incident, label) {
    const box = labelButtons(incident.incident_id, label, () => this.load());
    box.prepend(acknowledgeButton(incident, box.lastChild, () => this.load()));
    if (incident.state !== 'closed' && incident.kind !== 'silence') box.prepend(acceptButton(incident.stream, box.lastChild));
    return box;
  }

  drawBulk() {
    const size = this.marked.size;
    this.bulk.hidden = size === 0;
    this.bulk.querySelector('output').textContent = `${count(size)} ${size === 1 ? 'incident' : 'incidents'} marked`;
  }

  async sayOfMarked(word) {
    const said = this.bulk.querySelector('[role=status]');
    const note = this.bulk.querySelector('input').value.trim();
    const ids = [...this.marked];
    const failed = [];
    for (const [done, id] of ids.entries()) {
      said.textContent = word ? `${done} of ${ids.length}` : '';
      const wrong = word ? await sayOf(id, word, note) : '';
      if (wrong) failed.push(wrong); else this.marked.delete(id);
    }
    said.textContent = failed.length > 0 ? `${failed.length} of ${ids.length} not: ${failed[0]}` : word ? `${ids.length} called ${labelWord({ label: word })}` : '';
    this.bulk.querySelector('input').value = '';
    this.drawn = null;
    await this.load();
    this.bulk.hidden = said.textContent === '';
  }
}

function more(group) {
  if (group.size <= group.members.length) return [];
  const row = document.createElement('tr');
  row.className = 'more';
  const cell = row.insertCell();
  cell.colSpan = 8;
  cell.textContent = `and ${count(group.size - group.members.length)} weaker ones`;
  return [row];
}

function lasted(incident) {
  // A member that ended is told without its end until it is looked at.
  if (incident.state === 'closed' && !incident.closed_at) return '';
  const end = incident.closed_at ? Date.parse(incident.closed_at) : Date.now();
  return duration(end - Date.parse(incident.onset)) + (incident.state === 'closed' ? '' : ' (open)');
}

/** What the score is made of, the largest share first. */
function shares(attribution) {
  const box = document.createElement('div');
  box.className = 'shares';
  for (const [channel, share] of Object.entries(attribution).sort((a, b) => b[1] - a[1]).slice(0, 5)) {
    const name = document.createElement('span');
    name.textContent = channel;
    const bar = document.createElement('meter');
    bar.value = share;
    bar.setAttribute('aria-label', `share of ${channel}`);
    const percent = document.createElement('span');
    percent.textContent = `${Math.round(100 * share)} %`;
    box.append(name, bar, percent);
  }
  return box;
}
