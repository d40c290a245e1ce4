// The list or the tree of streams. The daemon is asked for the window in view, once a second: so a hundred thousand streams scroll like ten.

import { request } from './access.js';
import { favourites, hidden } from './preferences.js';
import { figure, count, colour } from './format.js';

const rowHeight = 38;
const sparkPoints = 60;
const sparksKept = 500;
const margin = 12;          // lines asked for beyond those in view
const none = [];
const EVERY = 1000, SOON = 120;

export class StreamList {
  constructor(element, { filter, order, show, said }, onChoose) {
    Object.assign(this, { element, filter, order, show, said, onChoose });
    this.lines = new Map();     // place -> line, of the last window
    this.rows = new Map();      // name -> row element, for those in view
    this.spare = [];            // row elements that have left it: canvases that are thrown away are what a collection of garbage takes longest for
    this.sparks = new Map();    // stream -> { values, time }
    this.opened = new Set();    // beginnings of names that the tree shows what is below of
    this.total = 0;
    this.cursor = null;         // place of the line that the keys are at
    this.chosen = null;
    this.asked = 0;
    this.spacer = document.createElement('li');
    this.spacer.setAttribute('role', 'presentation');
    element.append(this.spacer);

    element.addEventListener('scroll', () => {
      this.draw();
      this.soon();
    });
    element.addEventListener('click', event => {
      const row = event.target.closest('.row');
      if (row) this.pick(this.lines.get(Number(row.dataset.place)), Number(row.dataset.place));
    });
    element.addEventListener('keydown', event => this.key(event));
    for (const control of [filter, order, show]) {
      control.addEventListener('input', () => {
        element.scrollTop = 0;
        this.cursor = null;
        this.soon();
      });
    }
    new ResizeObserver(() => {
      this.draw();
      this.soon();
    }).observe(element);
    this.repeat();
  }

  get isTree() {
    return this.order.value === 'tree';
  }

  async repeat() {
    for (;;) {
      if (!document.hidden) await this.load();
      await new Promise(resolve => setTimeout(resolve, EVERY));
    }
  }

  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.load();
    }, SOON);
  }

  choose(stream) {
    if (stream === this.chosen) return;
    this.chosen = stream;
    const line = [...this.lines].find(([, line]) => line.name === stream);
    if (line) this.reveal(this.cursor = line[0]); else this.near = stream;
    this.draw();
  }

  async load() {
    const asked = ++this.asked;
    const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - margin);
    const limit = Math.ceil(this.element.clientHeight / rowHeight) + 2 * margin;
    const query = new URLSearchParams({ filter: this.filter.value.trim(), offset: first, limit });
    const names = this.show.value === 'hidden' ? hidden() : favourites();
    for (const name of names) query.append('favourite', name);
    if (this.show.value !== 'hidden') for (const name of hidden()) query.append('hide', name.replace(/[\\*?]/g, '\\$&'));
    query.set('show', this.show.value === 'hidden' ? 'favourites' : this.show.value);
    if (this.isTree) query.set('tree', true); else query.set('order', this.order.value);
    for (const prefix of this.isTree ? this.opened : []) query.append('open', prefix);
    if (this.near) query.set('near', this.near);
    if ([...Array(limit).keys()].some(i => this.needsSpark(this.lines.get(first + i))) || this.lines.size === 0) query.set('sparks', true);
    const answer = await request(`api/v1/streams?${query}`).then(response => response.ok ? response.json() : null).catch(() => null);
    if (!answer || asked !== this.asked) return;
    this.take(answer, first);
  }

  needsSpark(line) {
    return line?.state && !this.sparks.has(line.name);
  }

  take({ total, place, streams, lines, sparks }, first) {
    this.total = total;
    this.lines = new Map((lines ?? streams.map(state => ({ name: state.stream, label: state.stream, depth: 0, state }))).map((line, i) => [first + i, line]));
    if (this.sparks.size > sparksKept) this.sparks.clear();
    for (const { name, state } of this.lines.values()) {
      if (!state) continue;
      const known = this.sparks.get(name);
      if (sparks?.[name]) this.sparks.set(name, { values: sparks[name], time: state.time });
      else if (known && known.time !== state.time) this.sparks.set(name, { values: [...known.values, state.value].slice(-sparkPoints), time: state.time });
    }
    this.said.textContent = total === 0 && (this.filter.value || this.show.value !== 'all') ? 'no stream is like this' : `${count(total)} ${this.isTree ? 'line' : 'stream'}${total === 1 ? '' : 's'}`;
    if (this.near && place !== undefined) {
      this.near = null;
      this.reveal(this.cursor = place);
    }
    this.draw();
    this.onLoad?.(this);
    if (!sparks && [...this.lines.values()].some(line => this.needsSpark(line))) this.soon();
  }

  reveal(place) {
    const top = place * rowHeight, { scrollTop, clientHeight } = this.element;
    this.spacer.style.height = `${this.total * rowHeight}px`;
    if (top < scrollTop || top + rowHeight > scrollTop + clientHeight) this.element.scrollTop = Math.max(0, top - clientHeight / 2);
  }

  pick(line, place) {
    if (!line) return;
    this.cursor = place;
    if (line.state) {
      this.onChoose(line.name);
    } else {
      this.open(line, !line.is_opened);
    }
    this.draw();
  }

  open(line, wanted) {
    line.is_opened = wanted;
    if (wanted) this.opened.add(line.name); else this.opened.delete(line.name);
    this.load();
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / rowHeight) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    const line = this.lines.get(this.cursor);
    if (step) {
      event.preventDefault();
      this.cursor = Math.min(this.total - 1, Math.max(0, (this.cursor ?? -1) + step));
      this.reveal(this.cursor);
      const reached = this.lines.get(this.cursor);
      if (reached?.state) this.onChoose(reached.name);
      this.draw();
    } else if (line && !line.state && ['ArrowRight', 'ArrowLeft', 'Enter', ' '].includes(event.key)) {
      event.preventDefault();
      this.open(line, event.key === 'ArrowLeft' ? false : event.key === 'ArrowRight' ? true : !line.is_opened);
    } else if (line?.state && event.key === 'Enter') {
      this.onChoose(line.name);
    }
  }

  draw() {
    this.spacer.style.height = `${this.total * rowHeight}px`;
    this.element.setAttribute('role', this.isTree ? 'tree' : 'listbox');
    const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - 3);
    const last = Math.min(this.total, first + Math.ceil(this.element.clientHeight / rowHeight) + 6);
    const inView = new Map();
    for (let place = first; place < last; place++) if (this.lines.has(place)) inView.set(this.lines.get(place).name, place);

    for (const [name, row] of this.rows) {
      if (!inView.has(name)) {
        row.remove();
        this.rows.delete(name);
        this.spare.push(row);
      }
    }

    const starred = new Set(favourites());
    for (const [name, place] of inView) {
      let row = this.rows.get(name);
      if (!row) {
        row = named(this.spare.pop() ?? newRow(), name);
        this.rows.set(name, row);
        this.element.append(row);
      }
      const line = this.lines.get(place);
      row.dataset.place = place;
      row.id = `stream-${place}`;
      row.style.top = `${place * rowHeight}px`;
      row.setAttribute('role', this.isTree ? 'treeitem' : 'option');
      row.setAttribute('aria-selected', name === this.chosen);
      row.setAttribute('aria-posinset', place + 1);
      row.setAttribute('aria-setsize', this.total);
      row.classList.toggle('cursor', place === this.cursor);
      fill(row, line, this.isTree, starred.has(name), this.sparks.get(name)?.values);
    }
    if (this.cursor !== null && this.lines.has(this.cursor) && this.cursor >= first && this.cursor < last) this.element.setAttribute('aria-activedescendant', `stream-${this.cursor}`);
    else this.element.removeAttribute('aria-activedescendant');
  }
}

function newRow() {
  const row = document.createElement('li');
  row.className = 'row';
  row.innerHTML = '<div><div class="name"></div><div class="sub"><span class="dot"></span><span class="state"></span><progress max="1" aria-hidden="true" hidden></progress><span class="value"></span></div></div><canvas width="168" height="56" aria-hidden="true"></canvas><span class="score"></span>';
  return row;
}

function named(row, name) {
  row.dataset.stream = name;
  row.querySelector('.name').title = name;
  return row;
}

function fill(row, line, isTree, isFavourite, values) {
  const { state } = line;
  const name = row.querySelector('.name');
  // From the left, where a tree's line is short already; else the end of a long name is what tells it from others.
  name.textContent = `\u200e${isFavourite ? '★ ' : ''}${state ? '' : line.is_opened ? '▾ ' : '▸ '}${line.label}\u200e`;
  row.style.paddingLeft = isTree ? `${10 + 14 * line.depth}px` : '';
  if (isTree) row.setAttribute('aria-level', line.depth + 1); else row.removeAttribute('aria-level');
  if (state) row.removeAttribute('aria-expanded'); else row.setAttribute('aria-expanded', line.is_opened);
  const learning = state && state.progress < 1 && state.lifecycle !== 'silent';
  const open = state ? state.incident_open : line.open_incidents > 0;
  row.querySelector('.dot').className = `dot ${open ? 'open' : state ? state.lifecycle : line.silent === line.streams ? 'silent' : ''}`;
  const word = row.querySelector('.state');
  word.title = state?.warm_up?.reason ?? '';
  word.textContent = !state ? `${count(line.streams)} streams${line.open_incidents ? `, ${count(line.open_incidents)} with an incident` : ''}${line.silent ? `, ${count(line.silent)} silent` : ''}`
    : learning ? `${state.lifecycle} ${Math.floor(100 * state.progress)} %` : state.lifecycle;
  const progress = row.querySelector('progress');
  progress.hidden = !learning;
  progress.value = state?.progress ?? 0;
  row.querySelector('.value').textContent = state ? figure(state.value) : '';
  const score = state ? (state.lifecycle === 'active' ? state.score : null) : line.score;
  row.querySelector('.score').textContent = score === null ? '' : Math.round(score);
  row.querySelector('.score').className = `score ${score > 70 ? 'critical' : score >= 60 ? 'warning' : ''}`;
  spark(row.querySelector('canvas'), values ?? none);
}

function spark(canvas, values) {
  if (canvas.values === values) return;
  canvas.values = values;
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (values.length === 0) return;
  const low = Math.min(...values), high = Math.max(...values), span = high - low || 1;
  pen.beginPath();
  pen.lineWidth = 2;
  pen.strokeStyle = colour('value');
  values.forEach((value, i) => {
    const x = (i + sparkPoints - values.length) / (sparkPoints - 1) * (canvas.width - 4) + 2;
    const y = high === low ? canvas.height / 2 : canvas.height - 5 - (value - low) / span * (canvas.height - 10);
    if (i === 0) pen.moveTo(x, y); else pen.lineTo(x, y);
  });
  pen.stroke();
}
