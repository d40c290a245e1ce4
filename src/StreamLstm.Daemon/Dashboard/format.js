// Figures and times as people read them.

const units = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']];

/** A value in four significant digits, large ones with a letter. */
export function figure(value) {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  for (const [limit, letter] of units) {
    if (size >= limit) return (value / (letter === 'k' ? 1e3 : limit)).toPrecision(4).replace(/\.?0+$/, '') + letter;
  }
  return size !== 0 && size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** Hours, minutes and seconds of the day, in local time. */
export function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour12: false });
}

/** A time with its day, where that is not today. */
export function moment(time) {
  const date = new Date(time), now = new Date();
  if (date.toDateString() === now.toDateString()) return clock(time);
  return `${date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: date.getFullYear() === now.getFullYear() ? undefined : 'numeric' })} ${clock(time)}`;
}

/** The same on an axis of so many milliseconds. */
export function tick(time, span) {
  const date = new Date(time);
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  if (span > 4 * 86400e3) return day;
  const hour = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: span < 1200e3 ? '2-digit' : undefined, hour12: false });
  return span > 20 * 3600e3 || date.toDateString() !== new Date().toDateString() ? `${hour}\n${day}` : hour;
}

/** A length of time in its two largest units. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
}

/** "asked at most 1 alert a day, got 0.3"; what was got in the first day as a count, as a rate would say little. */
export function alertRate(alerts) {
  if (!alerts) return '';
  const { asked_per_day: asked, got_per_day: rate, got, active_seconds: seconds } = alerts;
  const wanted = asked === undefined ? ''
    : round(asked) < 1 ? `asked at most 1 alert in ${figure(round(1 / asked))} days, ` : `asked at most ${figure(round(asked))} ${round(asked) === 1 ? 'alert' : 'alerts'} a day, `;
  return wanted + (seconds < 86400
    ? `got ${count(got)} in ${duration(1000 * seconds)}`
    : `got ${figure(round(rate))}${wanted && asked >= 1 ? '' : ' a day'} (${count(got)} in ${duration(1000 * seconds)})`);
}

const round = value => Number(value.toPrecision(2));

/** "3rd time since 12 May, last 14:02"; nothing of the first of its kind. */
export function again(incident) {
  if (!(incident.occurrence > 1) || !incident.previous_at) return '';
  const today = new Date(incident.onset).toDateString();
  const day = time => new Date(time).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  const minute = time => new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
  const isToday = time => new Date(time).toDateString() === today;
  const { occurrence: number, first_seen: first, previous_at: last } = incident;
  const ending = number % 100 >= 11 && number % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][number % 10] ?? 'th';
  return `${number}${ending} time since ${isToday(first) ? minute(first) : day(first)}, last ${isToday(last) ? '' : `${day(last)} `}${minute(last)}`;
}

/** A whole number with thin gaps. */
export function count(value) {
  return value.toLocaleString('en').replaceAll(',', '\u2009');
}

const colours = new Map();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colours.clear());

/** A colour of the style sheet. Kept: to ask for it between two changes of the page has all of it laid out. */
export function colour(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return colours.get(name);
}
