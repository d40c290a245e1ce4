// What would have been an incident, and was none: how often, and why.

import { count } from './format.js';

const words = {
  warm_up: 'in a warm-up',
  gap: 'after a gap',
  accepted: 'of an accepted level',
  regular: 'that come again as always',
  maintenance: 'in maintenance',
  direction: 'to the other side',
  deviation: 'too near to the forecast',
  n_of_m: 'too few observations',
  severity: 'too mild',
  rule_cooldown: 'in a rule\'s cooldown',
  budget: 'beyond a budget',
};

/** "3 alerts kept back since the start: 2 in maintenance, 1 beyond a budget"; nothing where there were none. */
export function keptBack(byReason) {
  const reasons = Object.entries(byReason).sort((a, b) => b[1] - a[1]);
  if (reasons.length === 0) return '';
  const sum = reasons.reduce((total, [, number]) => total + number, 0);
  return `${count(sum)} ${sum === 1 ? 'alert' : 'alerts'} kept back since the start: ${reasons.map(([reason, number]) => `${count(number)} ${words[reason] ?? reason}`).join(', ')}`;
}
