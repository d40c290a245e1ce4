// How the daemon stands: streams by state, the books, the model, the detector, who is behind.

import { keptBack } from './kept-back.js';
import { count, duration } from './format.js';

const byId = id => document.getElementById(id);
let before = null;

export function header(status, open) {
  const warming = status.streams.learning + status.streams.calibrating;
  byId('counts').innerHTML = [['active', status.streams.active], ['learning', warming], ['silent', status.streams.silent], ['open incidents', open]]
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${count(value)}</dd></div>`).join('');
  const books = status.books;
  const seconds = before ? (Date.parse(status.now) - before.now) / 1000 : 0;
  const rate = seconds > 0 ? `${Math.max(0, Math.round((books.scored - before.scored) / seconds))}/s · ` : '';
  before = { now: Date.parse(status.now), scored: books.scored };
  byId('books').innerHTML = `${rate}received <b>${count(books.received)}</b> = scored <b>${count(books.scored)}</b> + rejected <b>${count(books.rejected)}</b> + queued <b>${count(books.queued)}</b> <span class="${books.balances ? 'ok' : 'bad'}">${books.balances ? '✓' : 'does not balance'}</span>${behind(status)}`;
  detector(status.detector);
  const kept = keptBack(status.suppressed_by_reason);
  byId('kept-back').hidden = !kept;
  byId('kept-back').textContent = kept;
  byId('left-out').hidden = status.left_out.length === 0;
  byId('left-out').textContent = leftOut(status.left_out);
  byId('model').textContent = `model ${status.model_version}${training(status.retrain, status.now)}`;
  empty(status);
}

/** How to send something, at the ports that are in force. */
function empty(status) {
  const port = status.mqtt_port;
  byId('send-mqtt').hidden = !port;
  byId('send-mqtt').textContent = `mosquitto_pub ${port === 1883 ? '' : `-p ${port} `}-t plant/boiler/temperature -m 71.3`;
  byId('send-http').textContent = `curl -d '{"stream":"plant/boiler/temperature","value":71.3}' ${new URL('api/v1/observations', document.baseURI)}`;
}

// A sink that is further back than a moment: what it writes, files and the history, shows less than the page.
function behind(status) {
  const late = status.sinks.filter(sink => sink.trouble || (sink.settled !== undefined && status.sequence - sink.settled > 1000));
  return late.map(sink => ` <span class="bad">${sink.name} is ${count(status.sequence - (sink.settled ?? 0))} entries behind</span>`).join('');
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
