minimum => {
  const faults = [];
  const shown = node => node.textContent.replace(/\s+/g, " ").trim().slice(0, 60);
  const visible = node => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  };
  const round = n => Math.round(n * 10) / 10;
  const place = box => `at ${round(box.left)},${round(box.top + scrollY)} ${round(box.width)}x${round(box.height)}`;

  const root = document.scrollingElement;
  if (root.scrollWidth > root.clientWidth) {
    let widest = root, right = 0;
    for (const node of document.body.querySelectorAll("*")) {
      const box = node.getBoundingClientRect();
      if (box.right > right && visible(node)) { right = box.right; widest = node; }
    }
    faults.push(`sideways: the page is ${root.scrollWidth} wide on ${root.clientWidth}: ${widest.tagName} "${shown(widest)}"`);
  }

  for (const drawing of document.querySelectorAll("svg")) {
    if (!visible(drawing)) continue;
    const frame = drawing.getBoundingClientRect();
    const name = drawing.querySelector(":scope > title")?.textContent ?? "a drawing";
    const seen = [];
    for (const text of drawing.querySelectorAll("text")) {
      if (shown(text) === "" || !visible(text)) continue;
      const box = text.getBoundingClientRect();
      const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().c, text.getScreenCTM().d);
      if (size < minimum - 0.01) {
        faults.push(`small: "${shown(text)}" in "${name}": ${round(size)} px`);
      }
      // Letters such as T reach a pixel beyond their advance.
      // A line's box has space above capitals and below the base line, in which nothing is drawn.
      const inner = { left: box.left, right: box.right, top: box.top + box.height * 0.15, bottom: box.bottom - box.height * 0.15 };
      if (inner.left < frame.left - 1.5 || inner.right > frame.right + 1.5 || inner.top < frame.top - 0.5 || inner.bottom > frame.bottom + 0.5) {
        faults.push(`cut: "${shown(text)}" in "${name}": ${place(box)}, the drawing ${place(frame)}`);
      }
      for (const [other, earlier] of seen) {
        const wide = Math.min(inner.right, other.right) - Math.max(inner.left, other.left);
        const high = Math.min(inner.bottom, other.bottom) - Math.max(inner.top, other.top);
        if (wide > 0.5 && high > 0.5) {
          faults.push(`overlap: "${shown(text)}" and "${earlier}" in "${name}": ${round(wide)}x${round(high)} ${place(box)}`);
        }
      }
      seen.push([inner, shown(text)]);
    }
  }

  for (const node of document.body.querySelectorAll("*")) {
    if (node.closest("svg") || node.children.length > 0 || shown(node) === "" || !visible(node)) continue;
    const style = getComputedStyle(node);
    const hides = side => style[side] === "hidden" || style[side] === "clip";
    if (node.clientWidth < 2 || node.clientHeight < 2) continue; // for screen readers alone
    if (hides("overflowX") && node.scrollWidth > node.clientWidth + 1 || hides("overflowY") && node.scrollHeight > node.clientHeight + 1) {
      faults.push(`cut: ${node.tagName} "${shown(node)}": ${place(node.getBoundingClientRect())}`);
    }
    const size = parseFloat(style.fontSize);
    if (size < minimum) {
      faults.push(`small: ${node.tagName} "${shown(node)}": ${round(size)} px`);
    }
  }
  return faults;
}
