// Swim lanes: groups of streams by time, coloured by the one score; beside them who else was odd in this range, the oddest first.

import { brush } from './brush.js';
import { request } from './access.js';
import { bounds, follows } from './range.js';
import { moment, count, colour } from './format.js';

const cells = 120;
const REFRESH = 10e3;
const cellHeight = 18;

export class LanePanel {
  constructor(element, { onSelect, onStream, onBack }) {
    this.element = element;
    this.onStream = onStream;
    this.lanes = element.querySelector('.lanes');
    this.odd = element.querySelector('ol');
    this.title = element.querySelector('h2');
    this.said = element.querySelector('.said');
    this.up = element.querySelector('.up');
    this.under = '';
    this.above = [];
    this.up.addEventListener('click', () => this.go(this.above.pop() ?? ''));
    element.addEventListener('toggle', () => this.load(true));
    this.strip = element.querySelector('.strip');
    brush(this.strip, (x, clamped) => this.timeAt(x, clamped), { onSelect, onClick: (time, event) => this.press(event) });
    this.strip.addEventListener('dblclick', onBack);
    new ResizeObserver(() => this.draw()).observe(this.strip);
  }

  show(range) {
    this.range = range;
    this.load(true);
  }

  /** Asks again now, or where the range goes on and it is a while ago. */
  async load(now = false) {
    if (!this.element.open || (!now && (!follows(this.range) || Date.now() - this.asked < REFRESH))) return;
    this.asked = Date.now();
    const { from, to } = bounds(this.range);
    const query = new URLSearchParams({ since: new Date(from).toISOString(), until: new Date(to).toISOString(), cells, under: this.under, limit: 50 });
    const asked = this.latest = Symbol('asked');
    const answer = await request(`api/v1/odd?${query}`).catch(() => null);
    if (asked !== this.latest || !answer) return;
    const said = await answer.json();
    if (!answer.ok) {
      this.said.textContent = said.error;
      this.answer = null;
      this.lanes.replaceChildren();
      this.odd.replaceChildren();
      return;
    }
    [this.answer, this.from, this.to] = [said, from, to];
    this.said.textContent = said.more_lanes > 0 ? `and ${count(said.more_lanes)} calmer groups` : '';
    this.drawOdd();
    this.draw();
  }

  go(under) {
    this.under = under;
    this.up.hidden = under === '';
    this.up.textContent = `◂ ${under || 'all'}`;
    this.load(true);
  }

  /** A click on a lane: what is below it; a stream by itself is chosen. */
  press(event) {
    const lane = event?.target.closest?.('.lane');
    if (lane) this.enter(lane.dataset.name);
  }

  enter(name) {
    if (!name.endsWith('/')) return this.onStream(name);
    this.above.push(this.under);
    this.go(name);
  }

  timeAt(x, clamped = false) {
    const edge = this.edge();
    if (!this.answer || (!clamped && x < edge)) return null;
    const width = this.strip.clientWidth - edge;
    return this.from + Math.min(1, Math.max(0, (x - edge) / width)) * (this.to - this.from);
  }

  /** Where the cells begin, behind the names. */
  edge() {
    const canvas = this.lanes.querySelector('canvas');
    return canvas ? canvas.getBoundingClientRect().left - this.strip.getBoundingClientRect().left : 0;
  }

  draw() {
    if (!this.answer) return;
    const known = new Map([...this.lanes.children].map(row => [row.dataset.name, row]));
    const shared = common(this.answer.lanes.map(lane => lane.name));
    const rows = this.answer.lanes.map(lane => {
      const row = known.get(lane.name) ?? this.newLane(lane.name);
      row.querySelector('.name').textContent = `\u200e${lane.name.slice(shared.length)}\u200e`;
      row.querySelector('.streams').textContent = lane.name.endsWith('/') ? count(lane.streams) : '';
      row.querySelector('canvas').setAttribute('aria-label', lane.cells.length === 0 ? 'calm' : `odd in ${lane.cells.length} of ${cells} cells, at most ${Math.round(lane.score)}`);
      return row;
    });
    if (rows.length !== this.lanes.children.length || rows.some((row, i) => row !== this.lanes.children[i])) this.lanes.replaceChildren(...rows);
    this.answer.lanes.forEach((lane, i) => this.paint(rows[i].querySelector('canvas'), lane));
  }

  newLane(name) {
    const row = document.createElement('div');
    row.className = 'lane';
    row.dataset.name = name;
    const button = document.createElement('button');
    button.append(part('span', 'name'), part('span', 'streams'));
    button.title = name.endsWith('/') ? `${name}: what is below it` : `${name}: show this stream`;
    button.addEventListener('click', () => this.enter(name));
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    row.append(button, canvas);
    return row;
  }

  paint(canvas, lane) {
    const width = canvas.clientWidth;
    [canvas.width, canvas.height] = [width * devicePixelRatio, cellHeight * devicePixelRatio];
    const pen = canvas.getContext('2d');
    pen.scale(devicePixelRatio, devicePixelRatio);
    pen.fillStyle = colour('surface');
    pen.fillRect(0, 1, width, cellHeight - 2);
    const first = Date.parse(this.answer.since), length = 1000 * this.answer.cell_seconds;
    const x = time => (time - this.from) / (this.to - this.from) * width;
    for (const [cell, score] of lane.cells) {
      const begin = Math.max(0, x(first + cell * length)), end = Math.min(width, x(first + (cell + 1) * length));
      [pen.fillStyle, pen.globalAlpha] = [colour(score >= 70 ? 'critical' : score >= 50 ? 'warning' : 'info'), score >= 50 ? 1 : 0.45];
      pen.fillRect(begin, 1, Math.max(2, end - begin - 0.5), cellHeight - 2);
    }
    pen.globalAlpha = 1;
  }

  drawOdd() {
    const { total, streams } = this.answer;
    this.title.textContent = total === 0 ? 'Nothing was odd in this range' : `Odd in this range: ${count(total)} ${total === 1 ? 'stream' : 'streams'}`;
    this.odd.replaceChildren(...streams.map(one => {
      const item = document.createElement('li');
      const button = document.createElement('button');
      button.append(part('span', `score ${one.score >= 70 ? 'critical' : one.score >= 50 ? 'warning' : ''}`, Math.round(one.score)), part('span', 'name', `\u200e${one.stream}\u200e`), part('span', 'minutes', `${count(one.minutes)} min`));
      button.title = `${one.stream}, most at ${moment(one.at)}`;
      button.addEventListener('click', () => this.onStream(one.stream));
      item.append(button);
      return item;
    }));
  }
}

/** How all names begin, up to a slash. */
function common(names) {
  let shared = names[0] ?? '';
  for (const name of names) while (!name.startsWith(shared)) shared = shared.slice(0, -1);
  return names.length > 1 ? shared.slice(0, shared.lastIndexOf('/') + 1) : '';
}

function part(tag, name, text = '') {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}
