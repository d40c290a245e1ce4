// What a person says of an incident: it changes what the stream calls ordinary, or keeps it from teaching.

import { request, streamPath } from './access.js';

const words = { false_alarm: 'false alarm', real: 'real' };
const meanings = {
  false_alarm: 'Such a level is ordinary in this stream: the like of it shall open no incident',
  real: 'It shall not teach the stream what is usual, nor make the next incident dearer',
};

export const labelWord = label => words[label.label];

/** Two buttons, one for each label, and a note; pressing the one that holds takes it back. */
export function labelButtons(incidentId, label, onSaid) {
  const box = document.createElement('div');
  box.className = 'label';
  const failed = document.createElement('span');
  failed.setAttribute('role', 'status');
  const note = document.createElement('input');
  note.placeholder = 'note';
  note.setAttribute('aria-label', 'Note beside the label');
  note.maxLength = 2000;
  note.value = label?.note ?? '';
  for (const [name, word] of Object.entries(words)) {
    const held = label?.label === name;
    const button = document.createElement('button');
    button.textContent = word;
    button.title = held ? 'Take it back' : meanings[name];
    button.setAttribute('aria-pressed', held);
    button.addEventListener('click', async event => {
      event.stopPropagation();
      button.disabled = true;
      failed.textContent = await (held ? takeBack(label.id) : sayOf(incidentId, name, note.value.trim()));
      button.disabled = false;
      if (!failed.textContent) onSaid();
    });
    box.append(button);
  }
  box.append(note, failed);
  return box;
}

/** Closes the stream's open incident: its level is the new normal. What went wrong is told in an element. */
export function acceptButton(stream, failed) {
  const button = document.createElement('button');
  button.textContent = 'accept as the new normal';
  button.title = 'Closes the incident; such a level opens no other';
  button.addEventListener('click', async event => {
    event.stopPropagation();
    button.disabled = true;
    failed.textContent = await answer(request(`api/v1/streams/${streamPath(stream)}/accept`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    }));
    button.disabled = false;
  });
  return button;
}

/** Who looks after an incident, as words before what it is. */
export const lookedAfter = incident => incident?.acknowledged ? `${incident.acknowledged.by} is on it${incident.acknowledged.note ? ` (${incident.acknowledged.note})` : ''}: ` : '';

const ownName = 'streamlstm.name';

/** Says that one looks after the incident oneself, or that it is nobody's again. What went wrong is told in an element. */
export function acknowledgeButton(incident, failed, onSaid) {
  const box = document.createElement('form');
  box.className = 'acknowledge';
  const button = document.createElement('button');
  const held = incident.acknowledged;
  button.textContent = held ? `not ${held.by}'s any more` : 'I look after it';
  button.title = held ? 'Take it back' : 'The others see your name beside it';
  const name = document.createElement('input');
  name.placeholder = 'your name';
  name.setAttribute('aria-label', 'Your name, for the others');
  name.maxLength = 100;
  name.required = true;
  name.value = localStorage.getItem(ownName) ?? '';
  box.append(button, ...(held ? [] : [name]));
  box.addEventListener('submit', async event => {
    event.preventDefault();
    button.disabled = true;
    if (!held) localStorage.setItem(ownName, name.value.trim());
    failed.textContent = await answer(request(`api/v1/incidents/${encodeURIComponent(incident.incident_id)}/acknowledgement`, held ? { method: 'DELETE' } : {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ by: name.value.trim() }),
    }));
    button.disabled = false;
    if (!failed.textContent) onSaid();
  });
  return box;
}

/** Says a word of an incident; what went wrong, or nothing. */
export const sayOf = (incidentId, name, note) => answer(request('api/v1/labels', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ incident_id: incidentId, label: name, note }),
}));

const takeBack = id => answer(request(`api/v1/labels/${id}`, { method: 'DELETE' }));

async function answer(sent) {
  try {
    const response = await sent;
    return response.ok ? '' : (await response.json()).error;
  } catch {
    return 'no answer';
  }
}
