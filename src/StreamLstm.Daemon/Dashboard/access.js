// What the page sends carries the token that the daemon asks for. It is kept for as long as the tab is open, and asked for where it is missing.

const KEY = 'streamlstm.token';
const RETRY = 3000;

let asking = null;

/** fetch, with the token. Where the daemon wants one, it is asked for; the answer is the daemon's refusal all the same. */
export async function request(path, options = {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = token ? { ...options.headers, Authorization: `Bearer ${token}` } : options.headers;
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) ask(token);
  return response;
}

/** A stream's name as a part of a path: a slash in it is one. */
export const streamPath = stream => stream.split('/').map(encodeURIComponent).join('/');

/** Asks for the token, once however many requests want it; done when there is another one. */
function ask(refused = sessionStorage.getItem(KEY)) {
  if (!asking && sessionStorage.getItem(KEY) !== refused) return Promise.resolve();   // it was given meanwhile
  asking ??= new Promise(resolve => {
    const dialog = document.getElementById('access');
    const input = dialog.querySelector('input');
    dialog.querySelector('p').textContent = refused
      ? 'The daemon does not know this token.'
      : 'This daemon asks for a token (http.tokens in its configuration).';
    input.value = '';
    dialog.querySelector('form').onsubmit = () => {
      sessionStorage.setItem(KEY, input.value.trim());
      asking = null;
      resolve();
    };
    dialog.oncancel = event => event.preventDefault();
    dialog.showModal();
  });
  return asking;
}

/** Server-sent events, as EventSource reads them, which cannot send a token. */
export class Feed {
  constructor(path, { message, open, lost }) {
    this.stop = new AbortController();
    this.run(path, message, open, lost);
  }

  close() {
    this.stop.abort();
  }

  async run(path, message, open, lost) {
    const { signal } = this.stop;
    while (!signal.aborted) {
      try {
        const response = await request(path, { signal, headers: { Accept: 'text/event-stream' } });
        if (response.ok) {
          open();
          await read(response.body, data => signal.aborted || message(JSON.parse(data)));
        } else if (response.status === 401) {
          lost('a token is needed');
          await ask();
          continue;
        } else {
          lost((await response.json()).error);
        }
      } catch {
        // Gone, or closed: below.
      }
      if (signal.aborted) return;
      lost();
      await new Promise(resolve => setTimeout(resolve, RETRY));
    }
  }
}

/** Hands on what each event says; an event ends with an empty line. */
async function read(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      take(text.slice(0, end).replace(/^data: /, ''));
    }
  }
}
