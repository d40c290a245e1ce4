// What the chosen incident, or the stream's last one, should have looked like: under the real stretch in the chart, and in words here.

import { request } from './access.js';
import { count, figure, moment } from './format.js';

const REFRESH = 30e3;        // it is worked out anew each time, and takes half a second of a core

export class ReconstructionPanel {
  /** @param onRows given the rows to draw, none where there are none */
  constructor(element, onRows) {
    this.element = element;
    this.body = element.querySelector('div');
    this.onRows = onRows;
    this.asked = 0;
    element.addEventListener('toggle', () => {
      if (element.open) this.load(true); else this.onRows([]);
    });
  }

  /**
   * Something new came, or another stream or another of its incidents was chosen; of none of them the last one is shown. An incident may be chosen before the
   * stream's own are loaded: what is shown stays until there is something better, for people watch it.
   */
  refresh(stream, id, incident) {
    const isOther = stream !== this.stream || id !== this.id;
    const isFound = !isOther && incident && !this.incident;
    [this.stream, this.id, this.incident] = [stream, id, incident];
    if (isOther) this.say('');
    if (isOther || isFound || incident?.state !== 'closed') this.load(isOther || isFound);
  }

  async load(now) {
    if (!this.element.open || !this.stream || (!now && Date.now() - this.asked < REFRESH)) return;
    this.asked = Date.now();
    const latest = this.latest = Symbol('asked');
    const at = this.incident ? `&at=${encodeURIComponent(this.incident.onset)}` : '';
    try {
      const response = await request(`api/v1/explain?stream=${encodeURIComponent(this.stream)}&reconstruction=true${at}`);
      const answer = await response.json();
      if (latest !== this.latest || !this.element.open) return;
      if (response.ok) this.show(answer); else this.say(answer.error);
    } catch {
      if (latest === this.latest) this.say('no answer');
    }
  }

  say(text, rows = []) {
    const line = document.createElement('p');
    line.textContent = text;
    this.body.replaceChildren(line);
    this.onRows(rows);
  }

  show({ rows, in_band: inBand, mean_distance: distance, clean_rows: clean, is_cut: isCut, is_rate: isRate }) {
    const text = `${moment(rows[0].time)} to ${moment(rows.at(-1).time)}${isCut ? ', the beginning of it' : ''}: ${Math.round(100 * inBand)} % of ${count(rows.length)} values lie where they should, `
      + `the mean distance is ${figure(distance)}; known from ${count(clean)} clean values before.`;
    // The chart draws what a counter has counted, and it is judged by how much more each time.
    if (isRate) this.say(`${text} It is a counter: it should have counted ${figure(rows.reduce((sum, row) => sum + row.expected, 0))} in that time.`);
    else this.say(text, rows.map(row => ({ time: Date.parse(row.time), expected: row.expected, lower: row.lower, upper: row.upper })));
  }
}
