// The chosen stream in words: its name, where it stands, what it is now and what was expected; of a record each column.

import { favourites, hidden, toggle } from './preferences.js';
import { figure, alertRate } from './format.js';

const byId = id => document.getElementById(id);

/** Buttons that put the chosen stream first, or out of sight. */
export function titleButtons(chosen, onChange) {
  for (const which of ['favourites', 'hidden']) {
    byId(which).addEventListener('click', () => {
      toggle(which, chosen());
      onChange();
    });
  }
}

export function title(stream, state) {
  byId('name').textContent = stream;
  byId('favourites').setAttribute('aria-pressed', favourites().includes(stream));
  byId('hidden').setAttribute('aria-pressed', hidden().includes(stream));
  byId('labels').textContent = Object.entries(state?.labels ?? {}).map(([label, value]) => `${label} ${value}`).join(' · ');
  const form = state && state.form !== 'full' ? ` · ${state.form} form` : '';
  byId('state').textContent = !state ? 'not known (any more)'
    : state.warm_up ? `${state.lifecycle}: ${state.warm_up.reason}; alerts begin when that is done${form}`
    : `${state.lifecycle}${form}`;
  byId('rate').textContent = alertRate(state?.alerts);
  drawColumns(state?.columns);
  if (!state) {
    byId('figures').textContent = '';
    return;
  }
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
      bar.setAttribute('aria-label', `share of ${column.column}`);
      share.append(bar, ` ${Math.round(100 * column.share)} %`);
    }
    return row;
  }));
}
