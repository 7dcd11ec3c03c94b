// Elements under a root (and the root) that match and were not seen before under this name.
export function once(root, selector, name) {
  const found = [...root.querySelectorAll(selector)];
  if (root.matches?.(selector)) found.push(root);
  return found.filter((element) => {
    const seen = (element.campusSeen ??= new Set());
    return !seen.has(name) && seen.add(name);
  });
}

export function icon(name, kind = "icon") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", kind);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.documentElement.dataset.sprite}#${name}`);
  svg.append(use);
  return svg;
}

export function button(label, { iconName = "", kind = "btn btn-sm btn-quiet btn-icon" } = {}) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  if (iconName) {
    made.append(icon(iconName, "icon icon-sm"));
    made.setAttribute("aria-label", label);
    made.title = label;
  } else {
    made.textContent = label;
  }
  return made;
}
