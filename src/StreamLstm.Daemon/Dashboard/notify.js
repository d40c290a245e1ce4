// Who is told of incidents, and a button that sends each of them a message that says that it is a test.

import { request } from './access.js';

export class NotifyPanel {
  constructor(element) {
    this.element = element;
    this.button = element.querySelector('button');
    this.said = element.querySelector('span');
    this.button.addEventListener('click', () => this.test());
  }

  /** Shows the button where somebody is told. */
  async load() {
    const answer = await request('api/v1/notify').catch(() => null);
    if (!answer?.ok) return;
    const { notify } = await answer.json();
    this.element.hidden = notify.length === 0;
    this.button.title = `Told of incidents: ${notify.map(one => one.name).join(', ')}`;
  }

  async test() {
    this.button.disabled = true;
    this.said.textContent = 'sending';
    try {
      const answer = await (await request('api/v1/notify/test', { method: 'POST' })).json();
      this.said.textContent = answer.error ?? answer.tested.map(one => `${one.name}: ${one.error ?? 'sent'}`).join(' · ');
    } catch {
      this.said.textContent = 'no answer';
    }
    this.button.disabled = false;
  }
}
