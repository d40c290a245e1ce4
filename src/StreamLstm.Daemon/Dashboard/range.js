// The range of time that chart, lanes and lists show: live, the last hours, or between two times.

import { moment, duration } from './format.js';

const MINUTE = 60e3, HOUR = 3600e3, DAY = 86400e3;
const spans = [['15 min', 15 * MINUTE], ['1 h', HOUR], ['6 h', 6 * HOUR], ['24 h', DAY], ['7 d', 7 * DAY]];

/** How far lanes and lists look back while the chart is live. */
const LIVE_SPAN = HOUR;
const SHORTEST = 10e3;

/** From where to where a range reaches now, in milliseconds. */
export function bounds(range, now = Date.now()) {
  if (!range) return { from: now - LIVE_SPAN, to: now };
  if (range.span) return { from: now - range.span, to: now };
  return { from: range.from, to: range.to ?? now };
}

/** Whether it moves on as time does. */
export const follows = range => !range?.to;

export class RangeBar {
  constructor(element, onChange) {
    this.element = element;
    this.onChange = onChange;
    this.said = element.querySelector('output');
    this.buttons = [['live', null], ...spans].map(([word, span]) => {
      const button = document.createElement('button');
      button.textContent = word;
      button.title = span ? `The last ${word}` : 'What comes now';
      button.addEventListener('click', () => onChange(span ? { span } : null));
      button.span = span;
      return button;
    });
    element.prepend(...this.buttons);
    const act = { earlier: () => this.move(-0.5), later: () => this.move(0.5), closer: () => this.zoom(0.5), further: () => this.zoom(2) };
    for (const button of element.querySelectorAll('button[data-act]')) button.addEventListener('click', act[button.dataset.act]);
    const dialog = element.querySelector('form');
    dialog.addEventListener('submit', event => {
      event.preventDefault();
      const [from, to] = ['from', 'to'].map(name => Date.parse(dialog.elements[name].value));
      const late = Number.isNaN(to) ? null : to;
      if (Number.isNaN(from) || from >= (late ?? Date.now())) {
        dialog.elements.from.setCustomValidity('expected a time before the end');
        dialog.reportValidity();
        return;
      }
      element.querySelector('details').open = false;
      onChange({ from, to: late });
    });
    dialog.addEventListener('input', () => dialog.elements.from.setCustomValidity(''));
    element.querySelector('details').addEventListener('toggle', () => {
      const { from, to } = bounds(this.range);
      dialog.elements.from.value = local(from);
      dialog.elements.to.value = local(to);
    });
  }

  show(range) {
    this.range = range;
    for (const button of this.buttons) button.setAttribute('aria-pressed', (range?.span ?? (range ? undefined : null)) === button.span);
    this.refresh();
  }

  refresh() {
    const { from, to } = bounds(this.range);
    this.said.textContent = this.range ? `${moment(from)} to ${this.range.to ? moment(to) : 'now'} (${duration(to - from)})` : '';
  }

  move(share) {
    const { from, to } = bounds(this.range);
    const step = (to - from) * share;
    this.onChange(to + step >= Date.now() && share > 0 ? { span: to - from } : { from: from + step, to: to + step });
  }

  zoom(factor) {
    const { from, to } = bounds(this.range);
    const span = Math.max(SHORTEST, (to - from) * factor);
    this.onChange(follows(this.range) ? { span } : around((from + to) / 2, span));
  }
}

/** A range that does not reach into what has not been yet. */
export function around(middle, span) {
  const to = middle + span / 2;
  return to >= Date.now() ? { from: middle - span / 2, to: null } : { from: middle - span / 2, to };
}

/** As an input of the type datetime-local has it: in local time. */
function local(time) {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * MINUTE).toISOString().slice(0, 19);
}
