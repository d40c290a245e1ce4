// What a person says of an incident: it changes what the stream calls ordinary, or keeps it from teaching.

import { request } from './access.js';

const words = { false_alarm: 'false alarm', real: 'real' };
const meanings = {
  false_alarm: 'Such a level is ordinary in this stream: the like of it shall open no incident',
  real: 'It shall not teach the stream what is usual, nor make the next incident dearer',
};

export const labelWord = label => words[label.label];

/** Two buttons, one for each label; pressing the one that holds takes it back. */
export function labelButtons(incidentId, label) {
  const box = document.createElement('div');
  box.className = 'label';
  const failed = document.createElement('span');
  failed.setAttribute('role', 'status');
  for (const [name, word] of Object.entries(words)) {
    const held = label?.label === name;
    const button = document.createElement('button');
    button.textContent = word;
    button.title = held ? 'Take it back' : meanings[name];
    button.setAttribute('aria-pressed', held);
    button.addEventListener('click', async event => {
      event.stopPropagation();
      button.disabled = true;
      failed.textContent = await send(incidentId, held ? label.id : null, name);
      button.disabled = false;
    });
    box.append(button);
  }
  box.append(failed);
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
    failed.textContent = await answer(request(`api/v1/streams/${stream.split('/').map(encodeURIComponent).join('/')}/accept`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    }));
    button.disabled = false;
  });
  return button;
}

/** What went wrong, or nothing: the feed then shows the label within a second. */
function send(incidentId, heldId, name) {
  return answer(heldId
    ? request(`api/v1/labels/${heldId}`, { method: 'DELETE' })
    : request('api/v1/labels', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ incident_id: incidentId, label: name }),
    }));
}

async function answer(sent) {
  try {
    const response = await sent;
    return response.ok ? '' : (await response.json()).error;
  } catch {
    return 'no answer';
  }
}
