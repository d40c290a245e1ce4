// What the chosen stream's LSTM keeps and forgets: its gates and its cell state over what came last, a line for each cell, a column for each step.

import { request } from './access.js';
import { colour } from './format.js';

const REFRESH = 5e3;
const CELL = 5;              // CSS pixels a cell is high
const GATES = [
  ['forget', 'forget gate: dark keeps what the cell holds, light forgets it'],
  ['input', 'input gate: dark takes in what is new'],
  ['output', 'output gate: dark shows what the cell holds'],
  ['cell', 'cell state: the long-term memory, above zero in one colour and below in the other'],
];

export class GatePanel {
  constructor(element) {
    this.element = element;
    this.body = element.querySelector('div');
    this.stream = null;
    element.addEventListener('toggle', () => this.load(true));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.load(true));
  }

  /** Something new came, of this stream or of another one that was chosen. */
  refresh(stream) {
    const isOther = stream !== this.stream;
    this.stream = stream;
    if (isOther) this.body.replaceChildren();
    this.load(isOther);
  }

  async load(now = false) {
    if (!this.element.open || !this.stream || (!now && Date.now() - this.asked < REFRESH)) return;
    this.asked = Date.now();
    const asked = this.latest = Symbol('asked');
    try {
      const response = await request(`api/v1/explain?stream=${encodeURIComponent(this.stream)}&gates=true`);
      const answer = await response.json();
      if (asked !== this.latest) return;
      if (response.ok) this.show(answer); else this.say(answer.error);
    } catch {
      if (asked === this.latest) this.say('no answer');
    }
  }

  say(text) {
    const line = document.createElement('p');
    line.textContent = text;
    this.body.replaceChildren(line);
  }

  show(answer) {
    this.body.replaceChildren(...GATES.map(([gate, meaning]) => {
      const figure = document.createElement('figure');
      const caption = document.createElement('figcaption');
      caption.textContent = meaning;
      const canvas = document.createElement('canvas');
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', `${gate} of ${answer.cells} cells over the last ${answer.steps} steps`);
      figure.append(caption, canvas);
      draw(canvas, answer[gate], gate === 'cell');
      return figure;
    }));
  }
}

function draw(canvas, rows, isSigned) {
  const steps = rows.length, cells = rows[0].length;
  canvas.width = steps;
  canvas.height = cells;
  canvas.style.height = `${cells * CELL}px`;
  const most = isSigned ? Math.max(1e-6, ...rows.flat().map(Math.abs)) : 1;
  const context = canvas.getContext('2d');
  for (let step = 0; step < steps; step++) {
    for (let cell = 0; cell < cells; cell++) {
      const value = rows[step][cell] / most;
      context.globalAlpha = Math.min(1, Math.abs(value));
      context.fillStyle = colour(isSigned && value < 0 ? 'warning' : 'accent');
      context.fillRect(step, cell, 1, 1);
    }
  }
}
