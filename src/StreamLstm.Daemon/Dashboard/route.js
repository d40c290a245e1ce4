// What the address says after #: the stream, the range of time, the incident. So whatever is seen can be sent to another.

/** { stream, range, incident }; a range is null (live), { span } (the last so many milliseconds) or { from, to }, to being null where it goes on. */
export function readRoute() {
  const [name, query = ''] = location.hash.slice(1).split('?');
  const said = new URLSearchParams(query);
  const span = Number(said.get('last'));
  const from = Date.parse(said.get('from')), to = Date.parse(said.get('to'));
  return {
    stream: decoded(name),
    range: span > 0 ? { span } : from < (to || Infinity) ? { from, to: to || null } : null,
    incident: said.get('incident'),
  };
}

/** Writes it: as a new place to come back to, or in place of the present one. */
export function writeRoute({ stream, range, incident }, isNew) {
  const said = new URLSearchParams();
  if (range?.span) said.set('last', range.span);
  if (range?.from) said.set('from', new Date(range.from).toISOString());
  if (range?.to) said.set('to', new Date(range.to).toISOString());
  if (incident) said.set('incident', incident);
  const hash = `#${encodeURIComponent(stream ?? '')}${said.size > 0 ? `?${said}` : ''}`;
  if (hash !== location.hash) history[isNew ? 'pushState' : 'replaceState'](null, '', hash);
}

function decoded(name) {
  try {
    return decodeURIComponent(name) || null;
  } catch {
    return null;   // cut short where it was copied
  }
}
