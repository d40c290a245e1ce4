// The page: which stream, which range of time, which incident; and what each part shows of it. The feed tells how things stand, once a second.

import { StreamList } from './list.js';
import { StreamChart } from './chart.js';
import { LanePanel } from './lanes.js';
import { IncidentPane } from './incidents.js';
import { RangeBar, around } from './range.js';
import { GatePanel } from './gates.js';
import { WhyPanel } from './why.js';
import { ReconstructionPanel } from './reconstruction.js';
import { FleetPanel } from './fleet.js';
import { NotifyPanel } from './notify.js';
import { Feed, request } from './access.js';
import { readRoute, writeRoute } from './route.js';
import { header } from './header.js';
import { title, titleButtons } from './title.js';

/** What is shown around an incident, at least. */
const AROUND = 10 * 60e3;

const byId = id => document.getElementById(id);
let route = { stream: null, range: null, incident: null };
let feed = null;
let revision = null;
let swaps = [];
let ofStream = [];          // incidents of the chosen stream, for its chart

const list = new StreamList(byId('streams'), { filter: byId('filter'), order: byId('order'), show: byId('show'), said: byId('listed') }, stream => go({ stream, incident: null }, true, 'chart'));
const range = new RangeBar(byId('range'), range => go({ range }, true));
const why = new WhyPanel(byId('why'));
const gates = new GatePanel(byId('gates'));
const chart = new StreamChart(byId('chart'), byId('chart-said'), {
  onPick: time => why.ask(route.stream, time),
  onSelect: (from, to) => go({ range: { from, to } }, true),
  onBack: () => range.zoom(4),
});
const reconstruction = new ReconstructionPanel(byId('reconstruction'), rows => chart.reconstruct(rows));
const lanes = new LanePanel(byId('lanes'), {
  onSelect: (from, to) => go({ range: { from, to } }, true),
  onStream: stream => go({ stream, incident: null }, true, 'chart'),
  onBack: () => range.zoom(4),
});
const incidents = new IncidentPane(byId('incidents-pane'), { onOpen: openIncident, onLoad: loadOwn });
const fleet = new FleetPanel(byId('fleet'));
const notify = new NotifyPanel(byId('notify'));

list.onLoad = first => {
  byId('empty').hidden = first.total > 0 || byId('filter').value !== '' || byId('show').value !== 'all' || route.stream !== null;
  const begin = [...first.lines.values()].find(line => line.state);
  if (!route.stream && begin) go({ stream: begin.name }, false);
};
titleButtons(() => route.stream, () => {
  title(route.stream, last?.state);
  list.load();
});
for (const tab of document.querySelectorAll('#tabs button')) tab.addEventListener('click', () => showTab(tab.value));
addEventListener('popstate', () => apply(readRoute()));
addEventListener('hashchange', () => apply(readRoute()));
addEventListener('keydown', event => {
  if (event.target.closest('input, select, textarea, dialog')) return;
  const act = { '/': () => byId('filter').focus(), l: () => go({ range: null }, true), f: () => byId('favourites').click(), '[': () => range.move(-0.5), ']': () => range.move(0.5), '-': () => range.zoom(2), '+': () => range.zoom(0.5) }[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});

apply(readRoute(), true);

/** Another stream, range or incident, as a place that one can come back from. */
function go(change, isNew, tab) {
  const next = { ...route, ...change };
  if (tab) showTab(tab);
  writeRoute(next, isNew);
  apply(next);
}

async function apply(next, isFirst = false) {
  const [newStream, newRange] = [isFirst || next.stream !== route.stream, isFirst || JSON.stringify(next.range) !== JSON.stringify(route.range)];
  const newIncident = next.incident !== route.incident && next.incident !== incidents.chosen;
  route = next;
  if (newRange) {
    range.show(route.range);
    lanes.show(route.range);
    incidents.show(route.range);
  }
  if (newStream || newRange) chart.show(route.stream, route.range);
  if (newStream) {
    list.choose(route.stream);
    ofStream = [];
    listen();
    loadOwn();
  }
  byId('detail').hidden = !route.stream;
  reconstruct();
  if (newIncident) {
    const found = await incidents.choose(route.incident);
    // A link that names an incident and no time means the time of the incident.
    if (found && !route.range) go({ stream: found.stream, range: rangeOf(found) }, false);
  }
}

/** The panel is told of a choice at once: what it would show until the feed's next message would be of another incident. */
function reconstruct() {
  reconstruction.refresh(route.stream, route.incident, ofStream.find(one => one.incident_id === route.incident));
}

/** The chosen stream's points come with the feed, so another choice means another feed. */
function listen() {
  feed?.close();
  feed = new Feed(`api/v1/live${route.stream ? `?stream=${encodeURIComponent(route.stream)}` : ''}`, {
    message: show,
    open: () => {
      revision = null;
      chart.points = [];
      notify.load();
    },
    lost: reason => connection(reason ?? `no answer from ${location.host}, trying again: does the daemon run?`, true),
  });
}

let last = null;

function show(message) {
  connection('live', false);
  last = message;
  swaps = message.swaps ?? swaps;
  header(message.status, message.open_groups);
  fleet.refresh(message.status);
  if (message.incidents_revision !== revision) {
    revision = message.incidents_revision;
    incidents.load();
  }
  incidents.tick();
  if (message.points && message.stream === route.stream) chart.add(message.points);
  if (message.stream === route.stream && route.stream) {
    title(route.stream, message.state);
    if (!route.range?.to) chart.draw(ofStream, swaps);
    why.refresh(route.stream);
    gates.refresh(route.stream);
    reconstruct();
  }
  range.refresh();
  chart.load();
  lanes.load();
}

function connection(text, lost) {
  byId('connection').textContent = text;
  byId('connection').classList.toggle('lost', lost);
}

/** Incidents of the chosen stream, whichever the table shows. */
async function loadOwn() {
  const { stream } = route;
  if (!stream) return;
  const answer = await request(`api/v1/incidents?stream=${encodeURIComponent(stream)}&limit=200`).catch(() => null);
  if (!answer?.ok || stream !== route.stream) return;
  ofStream = (await answer.json()).incidents;
  chart.draw(ofStream, swaps);
}

/** An incident opens on a chart of its time. */
function openIncident({ stream }, timed, incident) {
  go({ stream, incident, range: incident || timed.members ? rangeOf(timed) : route.range }, true);
}

function rangeOf({ onset, closed_at: closed }) {
  const from = Date.parse(onset), to = closed ? Date.parse(closed) : Date.now();
  return around((from + to) / 2, Math.max(2 * AROUND, 3 * (to - from)));
}

/** On a narrow screen one part is shown at a time. */
function showTab(name) {
  document.querySelector('main').dataset.tab = name;
  for (const tab of document.querySelectorAll('#tabs button')) tab.setAttribute('aria-pressed', tab.value === name);
}
