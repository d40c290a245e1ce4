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

/** A length of time in its two largest units. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
}

/** A whole number with thin gaps. */
export function count(value) {
  return value.toLocaleString('en').replaceAll(',', '\u2009');
}

/** A colour of the style sheet. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
