// What a person says of an incident: it changes what the stream calls ordinary, or keeps it from teaching.

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

/** What went wrong, or nothing: the feed then shows the label within a second. */
async function send(incidentId, heldId, name) {
  try {
    const response = heldId
      ? await fetch(`api/v1/labels/${heldId}`, { method: 'DELETE' })
      : await fetch('api/v1/labels', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ incident_id: incidentId, label: name }),
      });
    return response.ok ? '' : (await response.json()).error;
  } catch {
    return 'no answer';
  }
}
