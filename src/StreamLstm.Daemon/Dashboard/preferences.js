// What a person likes to see first, and not at all: kept in this browser.

const KEY = { favourites: 'streamlstm.favourites', hidden: 'streamlstm.hidden' };

/** As many as the daemon takes with one request. */
const MOST = 200;

export const favourites = () => read(KEY.favourites);
export const hidden = () => read(KEY.hidden);

/** Puts a stream among them, or takes it out. */
export function toggle(which, stream) {
  const names = read(KEY[which]);
  const without = names.filter(name => name !== stream);
  localStorage.setItem(KEY[which], JSON.stringify(without.length < names.length ? without : [...names, stream].slice(-MOST)));
}

function read(key) {
  try {
    const names = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(names) ? names.filter(name => typeof name === 'string') : [];
  } catch {
    return [];
  }
}
