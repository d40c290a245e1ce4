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
  const end = () => {
    begun = null;
    shown.hidden = true;
  };

  element.addEventListener('pointerdown', event => {
    // A finger scrolls; times are chosen by buttons there.
    if (event.button === 0 && event.pointerType !== 'touch' && timeAt(place(event)) !== null) begun = place(event);
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
  addEventListener('keydown', event => event.key === 'Escape' && end());
}
