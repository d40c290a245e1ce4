// Selecting a stretch of time by dragging over something that is drawn along time.

const SMALLEST = 6;   // pixels; less is a click

/**
 * @param element where it is dragged; a selection is shown in it
 * @param timeAt the time at so many pixels from its left edge; null outside of what is drawn
 */
export function brush(element, timeAt, { onSelect, onClick }) {
  const shown = document.createElement('div');
  shown.className = 'selection';
  shown.hidden = true;
  element.append(shown);
  let begun = null;
  const place = event => event.clientX - element.getBoundingClientRect().left;
  // A finger scrolls up and down, and chooses along time.
  element.style.touchAction = 'pan-y';
  const end = () => {
    begun = null;
    shown.hidden = true;
  };

  element.addEventListener('pointerdown', event => {
    if (event.button === 0 && event.isPrimary && timeAt(place(event)) !== null) begun = place(event);
  });
  addEventListener('pointermove', event => {
    if (begun === null) return;
    const [left, right] = [begun, place(event)].sort((a, b) => a - b);
    shown.hidden = right - left < SMALLEST;
    shown.style.left = `${left}px`;
    shown.style.width = `${right - left}px`;
  });
  addEventListener('pointerup', event => {
    if (begun === null) return;
    const [left, right] = [begun, place(event)].sort((a, b) => a - b);
    end();
    const from = timeAt(left, true), to = timeAt(right, true);
    if (right - left < SMALLEST) onClick(timeAt(left), event); else if (from !== null && to > from) onSelect(from, to);
  });
  addEventListener('pointercancel', end);
  addEventListener('keydown', event => event.key === 'Escape' && end());
}
