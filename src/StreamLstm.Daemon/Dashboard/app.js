// The page: listens to /api/v1/live and keeps the list, the chart and the incidents as they are now.

import { StreamList } from './list.js';
import { StreamChart } from './chart.js';
import { WhyPanel } from './why.js';
import { acceptButton, labelButtons, labelWord } from './label.js';
import { keptBack } from './kept-back.js';
import { figure, clock, duration, count } from './format.js';

const byId = id => document.getElementById(id);
const list = new StreamList(byId('streams'), byId('filter'), byId('order'), choose);
const chart = new StreamChart(byId('chart'), time => why.ask(chosen, time));
const why = new WhyPanel(byId('why'));
let feed = null;
let chosen = decodeURIComponent(location.hash.slice(1)) || null;
let chosenIncident = null;
let incidents = [];
let labels = new Map();     // incident id -> what people said of it
let swaps = [];
let before = null;
let drawnIncidents = null;

listen();
addEventListener('hashchange', () => {
  const stream = decodeURIComponent(location.hash.slice(1));
  if (stream && stream !== chosen) choose(stream);
});

/** The chosen stream's points come with the feed, so another choice means another feed. */
function listen() {
  feed?.close();
  if (chosen) chart.show(chosen);
  feed = new EventSource(`api/v1/live${chosen ? `?stream=${encodeURIComponent(chosen)}` : ''}`);
  feed.onmessage = event => show(JSON.parse(event.data));
  feed.onopen = () => chosen && chart.show(chosen);
  feed.onerror = () => connection('connection lost, trying again', true);
}

function choose(stream) {
  chosen = stream;
  history.replaceState(null, '', `#${encodeURIComponent(stream)}`);
  list.choose(stream);
  listen();
}

function show(message) {
  connection('live', false);
  header(message.status);
  list.update(message.streams, message.sparks);
  incidents = message.incidents;
  labels = new Map(message.labels.map(label => [label.incident_id, label]));
  swaps = message.swaps;

  if (!chosen && list.sorted.length > 0) {
    choose(list.sorted[0]);
    return;
  }

  byId('empty').hidden = list.streams.size > 0;
  byId('detail').hidden = list.streams.size === 0;

  if (message.points && message.stream === chosen) chart.add(message.points);
  if (chosen) {
    title(list.streams.get(chosen));
    chart.draw(incidents, swaps);
    why.refresh(chosen);
  }
  drawIncidents();
}

function connection(text, lost) {
  byId('connection').textContent = text;
  byId('connection').classList.toggle('lost', lost);
}

function header(status) {
  const open = incidents.filter(incident => incident.state !== 'closed').length;
  const warming = status.streams.learning + status.streams.calibrating;
  byId('counts').innerHTML = [['active', status.streams.active], ['learning', warming], ['silent', status.streams.silent], ['open incidents', open]]
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${count(value)}</dd></div>`).join('');
  const books = status.books;
  const seconds = before ? (Date.parse(status.now) - before.now) / 1000 : 0;
  const rate = seconds > 0 ? `${Math.round((books.scored - before.scored) / seconds)}/s · ` : '';
  before = { now: Date.parse(status.now), scored: books.scored };
  byId('books').innerHTML = `${rate}received <b>${count(books.received)}</b> = scored <b>${count(books.scored)}</b> + rejected <b>${count(books.rejected)}</b> + queued <b>${count(books.queued)}</b> <span class="${books.balances ? 'ok' : 'bad'}">${books.balances ? '✓' : 'does not balance'}</span>`;
  const kept = keptBack(status.suppressed_by_reason);
  byId('kept-back').hidden = !kept;
  byId('kept-back').textContent = kept;
  byId('model').textContent = `model ${status.model_version}${training(status.retrain, status.now)}`;
}

function training(retrain, now) {
  if (!retrain) return '';
  if (retrain.progress !== undefined) return ` · training ${Math.round(100 * retrain.progress)} %`;
  return retrain.next_at ? ` · next training in ${duration(Date.parse(retrain.next_at) - Date.parse(now))}` : '';
}

function title(state) {
  byId('name').textContent = chosen;
  if (!state) return;
  byId('state').textContent = state.warm_up
    ? `${state.lifecycle}: ${state.warm_up.reason}; alerts begin when that is done`
    : state.lifecycle;
  drawColumns(state.columns);
  if (state.columns) {
    byId('figures').innerHTML = `joint score <b>${figure(state.value)}</b> decades (the line below); score <b>${Math.round(state.score)}</b>`;
    return;
  }
  const band = state.expected === undefined ? '' : `, expected <b>${figure(state.expected)}</b> (${figure(state.lower)} to ${figure(state.upper)})`;
  byId('figures').innerHTML = `now <b>${figure(state.value)}</b>${band}, score <b>${Math.round(state.score)}</b>`;
}

/** A record's values, judged together: what each is, what it had when the rest looked like this, its part of the score. */
function drawColumns(columns) {
  byId('columns').hidden = !columns;
  byId('columns').tBodies[0].replaceChildren(...(columns ?? []).map(column => {
    const row = document.createElement('tr');
    const band = column.expected === undefined ? '–' : `${figure(column.expected)} (${figure(column.lower)} to ${figure(column.upper)})`;
    for (const text of [column.column, figure(column.actual) + (column.is_imputed ? ' (missing)' : ''), band]) row.insertCell().textContent = text;
    const share = row.insertCell();
    if (column.is_context) {
      share.textContent = 'context';
    } else {
      const bar = document.createElement('meter');
      bar.value = column.share;
      share.append(bar, ` ${Math.round(100 * column.share)} %`);
    }
    return row;
  }));
}

function drawIncidents() {
  // A row that is drawn anew loses the focus, and a click that had begun on it.
  const drawn = JSON.stringify([incidents, [...labels], chosenIncident]);
  if (drawn === drawnIncidents) {
    incidents.forEach((incident, place) => byId('incidents').tBodies[0].rows[place].cells[4].textContent = lasted(incident));
    return;
  }
  drawnIncidents = drawn;
  byId('quiet').hidden = incidents.length > 0;
  byId('incidents').hidden = incidents.length === 0;
  const body = byId('incidents').tBodies[0];
  body.replaceChildren(...incidents.map(incidentRow));
}

function incidentRow(incident) {
  const row = document.createElement('tr');
  row.tabIndex = 0;
  const label = labels.get(incident.incident_id);
  row.className = `${incident.state === 'closed' ? 'closed' : ''} ${incident.incident_id === chosenIncident ? 'chosen' : ''}`;
  const cells = [
    ['severity', incident.severity], ['stream', incident.stream], ['', incident.kind.replace('_', ' ')], ['', clock(incident.onset)],
    ['', lasted(incident)], ['', Math.round(incident.max_score)], ['why', `${label ? `${labelWord(label)}: ` : ''}${incident.explanation}`],
  ];
  for (const [name, text] of cells) {
    const cell = row.insertCell();
    cell.className = name === 'severity' ? `severity ${incident.severity}` : name;
    cell.textContent = text;
  }
  if (incident.incident_id === chosenIncident) row.lastChild.append(shares(incident.attribution), answers(incident, label));
  const pick = () => {
    chosenIncident = chosenIncident === incident.incident_id ? null : incident.incident_id;
    choose(incident.stream);
  };
  row.addEventListener('click', pick);
  row.addEventListener('keydown', event => event.key === 'Enter' && event.target === row && pick());
  return row;
}

/** What may be said of the incident: what it was, and while it goes on that it is the new normal. */
function answers(incident, label) {
  const box = labelButtons(incident.incident_id, label);
  if (incident.state !== 'closed' && incident.kind !== 'silence') box.prepend(acceptButton(incident.stream, box.lastChild));
  return box;
}

function lasted(incident) {
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
    const percent = document.createElement('span');
    percent.textContent = `${Math.round(100 * share)} %`;
    box.append(name, bar, percent);
  }
  return box;
}
