// The list of all streams. Only the rows in view exist, so thousands of streams scroll like ten.

import { figure, colour } from './format.js';

const rowHeight = 38;
const sparkPoints = 60;

export class StreamList {
  constructor(element, filter, order, onChoose) {
    this.element = element;
    this.streams = new Map();   // name -> state, with a spark of the last values
    this.rows = new Map();      // name -> row element, for those in view
    this.sorted = [];
    this.chosen = null;
    this.filter = filter;
    this.order = order;
    this.spacer = document.createElement('li');
    this.spacer.setAttribute('role', 'presentation');
    element.append(this.spacer);

    element.addEventListener('scroll', () => this.draw());
    element.addEventListener('click', event => {
      const row = event.target.closest('.row');
      if (row) onChoose(row.dataset.stream);
    });
    element.addEventListener('keydown', event => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = this.sorted[Math.min(this.sorted.length - 1, Math.max(0, this.sorted.indexOf(this.chosen) + step))];
      if (next) onChoose(next);
    });
    filter.addEventListener('input', () => this.draw(true));
    order.addEventListener('change', () => this.draw(true));
    new ResizeObserver(() => this.draw()).observe(element);
  }

  update(states, sparks = {}, forgotten = []) {
    for (const stream of forgotten) this.streams.delete(stream);
    for (const state of states) {
      const spark = sparks[state.stream] ?? this.streams.get(state.stream)?.spark ?? [];
      if (!sparks[state.stream]) spark.push(state.value);
      if (spark.length > sparkPoints) spark.shift();
      this.streams.set(state.stream, { ...state, spark });
    }
    this.draw(true);
  }

  choose(stream) {
    this.chosen = stream;
    const place = this.sorted.indexOf(stream);
    const top = place * rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (place >= 0 && (top < scrollTop || top + rowHeight > scrollTop + clientHeight)) {
      this.element.scrollTop = Math.max(0, top - clientHeight / 2);
    }
    this.draw();
  }

  sort() {
    const wanted = this.filter.value.trim().toLowerCase();
    const names = [...this.streams.keys()].filter(name => name.toLowerCase().includes(wanted));
    const byName = (a, b) => a < b ? -1 : 1;
    // Scores in steps of five, so that the list does not dance.
    const rank = name => {
      const state = this.streams.get(name);
      return (state.incident_open ? 1000 : 0) + Math.round(state.score / 5);
    };
    this.sorted = this.order.value === 'name'
      ? names.sort(byName)
      : names.sort((a, b) => rank(b) - rank(a) || byName(a, b));
  }

  draw(changed = false) {
    if (changed) this.sort();
    this.spacer.style.height = `${this.sorted.length * rowHeight}px`;
    const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - 3);
    const last = Math.min(this.sorted.length, first + Math.ceil(this.element.clientHeight / rowHeight) + 6);
    const inView = new Set(this.sorted.slice(first, last));

    for (const [name, row] of this.rows) {
      if (!inView.has(name)) {
        row.remove();
        this.rows.delete(name);
      }
    }

    for (let place = first; place < last; place++) {
      const name = this.sorted[place];
      let row = this.rows.get(name);
      if (!row) {
        row = newRow(name);
        this.rows.set(name, row);
        this.element.append(row);
      }
      row.style.top = `${place * rowHeight}px`;
      row.setAttribute('aria-selected', name === this.chosen);
      fill(row, this.streams.get(name));
    }
  }
}

function newRow(name) {
  const row = document.createElement('li');
  row.className = 'row';
  row.dataset.stream = name;
  row.setAttribute('role', 'option');
  row.innerHTML = '<div><div class="name"></div><div class="sub"><span class="dot"></span><span class="state"></span><progress max="1" hidden></progress><span class="value"></span></div></div><canvas width="168" height="56"></canvas><span class="score"></span>';
  const label = row.querySelector('.name');
  label.textContent = `\u200e${name}`;
  label.title = name;
  return row;
}

function fill(row, state) {
  const learning = state.progress < 1 && state.lifecycle !== 'silent';
  row.querySelector('.dot').className = `dot ${state.incident_open ? 'open' : state.lifecycle}`;
  row.querySelector('.state').title = state.warm_up?.reason ?? '';
  row.querySelector('.state').textContent = learning ? `${state.lifecycle} ${Math.floor(100 * state.progress)} %` : state.lifecycle;
  const progress = row.querySelector('progress');
  progress.hidden = !learning;
  progress.value = state.progress;
  row.querySelector('.value').textContent = figure(state.value);
  row.querySelector('.score').textContent = state.lifecycle === 'active' ? Math.round(state.score) : '';
  row.querySelector('.score').className = `score ${state.score > 70 ? 'critical' : state.score >= 60 ? 'warning' : ''}`;
  spark(row.querySelector('canvas'), state.spark);
}

function spark(canvas, values) {
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, canvas.width, canvas.height);
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
