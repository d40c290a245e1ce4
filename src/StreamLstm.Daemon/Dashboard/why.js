// Why the chosen stream alerted or did not: its last observation, or one that was clicked in the chart.

import { request } from './access.js';
import { moment } from './format.js';

export class WhyPanel {
  constructor(element) {
    this.element = element;
    this.body = element.querySelector('div');
    this.time = null;       // of the observation that was clicked; null: the last one
    this.asked = 0;
    element.addEventListener('toggle', () => element.open && this.load());
  }

  /** Explains the observation at a time, and stays with it until another stream is chosen. */
  ask(stream, time) {
    this.stream = stream;
    this.time = time;
    if (this.element.open) this.load(); else this.element.open = true;
  }

  /** Something new came: the last observation is another one now. */
  refresh(stream) {
    if (stream !== this.stream) {
      this.stream = stream;
      this.time = null;
      this.body.replaceChildren();
    }
    if (this.element.open && !this.time) this.load();
  }

  async load() {
    const asked = ++this.asked;
    const at = this.time ? `&at=${encodeURIComponent(this.time)}` : '';
    try {
      const response = await request(`api/v1/explain?stream=${encodeURIComponent(this.stream)}${at}`);
      const answer = await response.json();
      if (asked !== this.asked) return;
      if (response.ok) this.show(answer); else this.say(answer.error);
    } catch {
      if (asked === this.asked) this.say('no answer');
    }
  }

  say(text) {
    this.body.replaceChildren(this.when(), part('p', '', text));
  }

  show(answer) {
    const rows = part('div', 'indicators');
    for (const indicator of answer.indicators) {
      const bar = document.createElement('meter');
      bar.value = indicator.share;
      bar.setAttribute('aria-label', `share of ${indicator.name}`);
      rows.append(
        part('span', '', indicator.name), bar, part('span', '', `${Math.round(100 * indicator.share)} %`),
        part('span', 'decades', indicator.score?.toFixed(1) ?? ''), part('span', 'meaning', indicator.score > 0 ? indicator.meaning : ''));
    }
    this.body.replaceChildren(this.when(answer.time), part('p', '', answer.sentence), rows);
  }

  when(time = this.time) {
    const line = part('p', 'at', this.time ? `${moment(time)}, as picked in the chart ` : `${time ? moment(time) : 'now'}; click in the chart for another time`);
    if (this.time) {
      const back = part('button', '', 'latest');
      back.addEventListener('click', () => {
        this.time = null;
        this.load();
      });
      line.append(back);
    }
    return line;
  }
}

function part(tag, name, text = '') {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}
