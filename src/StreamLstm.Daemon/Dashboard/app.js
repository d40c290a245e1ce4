// The page: listens to /api/v1/live and keeps the list, the chart and the incidents as they are now.

import { StreamList } from './list.js';
import { StreamChart } from './chart.js';
import { WhyPanel } from './why.js';
import { FleetPanel } from './fleet.js';
import { Feed } from './access.js';
import { NotifyPanel } from './notify.js';
import { acceptButton, labelButtons, labelWord } from './label.js';
import { keptBack } from './kept-back.js';
import { figure, clock, duration, count, alertRate, again } from './format.js';

const byId = id => document.getElementById(id);
const list = new StreamList(byId('streams'), byId('filter'), byId('order'), choose);
const chart = new StreamChart(byId('chart'), time => why.ask(chosen, time));
const why = new WhyPanel(byId('why'));
const fleet = new FleetPanel(byId('fleet'));
const notify = new NotifyPanel(byId('notify'));
let feed = null;
let chosen = decodeURIComponent(location.hash.slice(1)) || null;
let chosenIncident = null;
let incidents = [];
let groups = [];            // incidents that began together, newest first; each names its strongest members
const opened = new Set();   // ids of the groups whose members are shown
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
  feed = new Feed(`api/v1/live${chosen ? `?stream=${encodeURIComponent(chosen)}` : ''}`, {
    message: show,
    open: () => {
      if (chosen) chart.show(chosen);
      notify.load();
    },
    lost: why => connection(why ?? 'connection lost, trying again', true),
  });
}

function choose(stream) {
  chosen = stream;
  history.replaceState(null, '', `#${encodeURIComponent(stream)}`);
  list.choose(stream);
  listen();
}

function show(message) {
  connection('live', false);
  list.update(message.streams, message.sparks, message.forgotten);
  incidents = message.incidents;
  groups = message.groups;
  labels = new Map(message.labels.map(label => [label.incident_id, label]));
  swaps = message.swaps;
  header(message.status);
  fleet.refresh(message.status);

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

// A sink that is further back than a moment: what it writes, files and the history, shows less than the page.
function behind(status) {
  const late = status.sinks.filter(sink => sink.trouble || (sink.settled !== undefined && status.sequence - sink.settled > 1000));
  return late.map(sink => ` <span class="bad">${sink.name} is ${count(status.sequence - (sink.settled ?? 0))} entries behind</span>`).join('');
}

function header(status) {
  const open = groups.filter(group => group.state !== 'closed').length;
  const warming = status.streams.learning + status.streams.calibrating;
  byId('counts').innerHTML = [['active', status.streams.active], ['learning', warming], ['silent', status.streams.silent], ['open incidents', open]]
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${count(value)}</dd></div>`).join('');
  const books = status.books;
  const seconds = before ? (Date.parse(status.now) - before.now) / 1000 : 0;
  const rate = seconds > 0 ? `${Math.round((books.scored - before.scored) / seconds)}/s · ` : '';
  before = { now: Date.parse(status.now), scored: books.scored };
  byId('books').innerHTML = `${rate}received <b>${count(books.received)}</b> = scored <b>${count(books.scored)}</b> + rejected <b>${count(books.rejected)}</b> + queued <b>${count(books.queued)}</b> <span class="${books.balances ? 'ok' : 'bad'}">${books.balances ? '✓' : 'does not balance'}</span>${behind(status)}`;
  detector(status.detector);
  const kept = keptBack(status.suppressed_by_reason);
  byId('kept-back').hidden = !kept;
  byId('kept-back').textContent = kept;
  byId('left-out').hidden = status.left_out.length === 0;
  byId('left-out').textContent = leftOut(status.left_out);
  byId('model').textContent = `model ${status.model_version}${training(status.retrain, status.now)}`;
}

/** Fields of what came in that became no observations: most are texts, and some are what somebody waits for. */
function leftOut(fields) {
  return fields.length === 0 ? '' : `fields left out: ${fields.map(field => `${field.source} ${field.reason.replaceAll('_', ' ')} ${count(field.count)} (${field.last})`).join(' · ')}`;
}

/** Whether the detector found the last fault planted for it: a page on which nothing happens may have nobody behind it. */
function detector(answer) {
  const line = byId('detector');
  line.hidden = !answer;
  if (!answer) return;
  line.textContent = { unknown: 'detector not yet checked', alive: 'detector alive' }[answer.state] ?? `detector ${answer.state}: ${answer.reason}`;
  line.className = answer.state;
  line.title = `Every hour a fault is planted in a stream of the detector's own: ${answer.reason}`;
}

function training(retrain, now) {
  if (!retrain) return '';
  if (retrain.progress !== undefined) return ` · training ${Math.round(100 * retrain.progress)} %`;
  return retrain.next_at ? ` · next training in ${duration(Date.parse(retrain.next_at) - Date.parse(now))}` : '';
}

function title(state) {
  byId('name').textContent = chosen;
  byId('labels').textContent = Object.entries(state?.labels ?? {}).map(([label, value]) => `${label} ${value}`).join(' · ');
  if (!state) return;
  byId('state').textContent = state.warm_up
    ? `${state.lifecycle}: ${state.warm_up.reason}; alerts begin when that is done`
    : state.lifecycle;
  byId('rate').textContent = alertRate(state.alerts);
  drawColumns(state.columns);
  if (state.columns) {
    byId('figures').innerHTML = `joint score <b>${figure(state.value)}</b> decades (the line below); score <b>${Math.round(state.score)}</b>`;
    return;
  }
  const band = state.expected === undefined ? '' : `, expected <b>${figure(state.expected)}</b> (${figure(state.lower)} to ${figure(state.upper)})`;
  byId('figures').innerHTML = `now <b>${figure(state.value)}</b><span id="unit"></span>${band}, score <b>${Math.round(state.score)}</b>`;
  // What a device calls its unit is its own text.
  byId('unit').textContent = unit(state);
}

/** "°C, declared 0 to 100": what the device declares of the stream. */
function unit({ unit, declared_low: low, declared_high: high }) {
  const range = low === undefined && high === undefined ? ''
    : `, declared ${low === undefined ? `at most ${figure(high)}` : high === undefined ? `at least ${figure(low)}` : `${figure(low)} to ${figure(high)}`}`;
  return (unit ? ` ${unit}` : '') + range;
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
  const body = byId('incidents').tBodies[0];
  // A row that is drawn anew loses the focus, and a click that had begun on it.
  const drawn = JSON.stringify([groups, incidents, [...labels], chosenIncident, [...opened]]);
  if (drawn === drawnIncidents) {
    for (const row of body.rows) if (row.timed) row.cells[4].textContent = lasted(row.timed);
    return;
  }
  drawnIncidents = drawn;
  byId('quiet').hidden = groups.length > 0;
  byId('incidents').hidden = groups.length === 0;
  const known = new Map(incidents.map(incident => [incident.incident_id, incident]));
  body.replaceChildren(...groups.flatMap(group => {
    const members = group.members.map(member => incidentRow(known.get(member.incident_id) ?? member));
    if (group.size === 1) return members;
    if (!isOpened(group)) return [groupRow(group)];
    for (const row of members) row.classList.add('member');
    return [groupRow(group), ...members, ...more(group)];
  }));
}

const isOpened = group => opened.has(group.id) || group.members.some(member => member.incident_id === chosenIncident);

/** One line for what began together; it opens to its members, the strongest first. */
function groupRow(group) {
  const strongest = group.members[0];
  const row = newRow(group, [
    ['severity', group.severity], ['stream', `${group.size} streams`], ['', strongest.kind.replace('_', ' ')], ['', clock(group.onset)],
    ['', lasted(group)], ['', Math.round(group.max_score)], ['why', group.title],
  ], () => {
    if (isOpened(group)) {
      opened.delete(group.id);
      if (group.members.some(member => member.incident_id === chosenIncident)) chosenIncident = null;
    } else {
      opened.add(group.id);
    }
    choose(strongest.stream);
    drawIncidents();
  });
  row.classList.add('group');
  row.setAttribute('aria-expanded', isOpened(group));
  return row;
}

function more(group) {
  if (group.size <= group.members.length) return [];
  const row = document.createElement('tr');
  row.className = 'more';
  const cell = row.insertCell();
  cell.colSpan = 7;
  cell.textContent = `and ${count(group.size - group.members.length)} weaker ones`;
  return [row];
}

/** A line of the table that is picked by a click or the enter key. */
function newRow(timed, cells, pick) {
  const row = document.createElement('tr');
  row.tabIndex = 0;
  row.timed = timed;
  if (timed.state === 'closed') row.classList.add('closed');
  for (const [name, text] of cells) {
    const cell = row.insertCell();
    cell.className = name === 'severity' ? `severity ${timed.severity}` : name;
    cell.textContent = text;
  }
  row.addEventListener('click', pick);
  row.addEventListener('keydown', event => event.key === 'Enter' && event.target === row && pick());
  return row;
}

function incidentRow(incident) {
  const label = labels.get(incident.incident_id);
  const row = newRow(incident, [
    ['severity', incident.severity], ['stream', incident.stream], ['', incident.kind.replace('_', ' ')], ['', clock(incident.onset)],
    ['', lasted(incident)], ['', Math.round(incident.max_score)], ['why', `${label ? `${labelWord(label)}: ` : ''}${incident.explanation}${again(incident) ? ` (${again(incident)})` : ''}`],
  ], () => {
    chosenIncident = chosenIncident === incident.incident_id ? null : incident.incident_id;
    choose(incident.stream);
  });
  if (incident.incident_id === chosenIncident) {
    row.classList.add('chosen');
    row.lastChild.append(shares(incident.attribution ?? {}), answers(incident, label));
  }
  return row;
}

/** What may be said of the incident: what it was, and while it goes on that it is the new normal. */
function answers(incident, label) {
  const box = labelButtons(incident.incident_id, label);
  if (incident.state !== 'closed' && incident.kind !== 'silence') box.prepend(acceptButton(incident.stream, box.lastChild));
  return box;
}

function lasted(incident) {
  // A member that ended is told without its end where the page has not heard of it itself.
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
    const percent = document.createElement('span');
    percent.textContent = `${Math.round(100 * share)} %`;
    box.append(name, bar, percent);
  }
  return box;
}
