/** Makes elements from text. What the kernel says is only ever text here: no markup is parsed. */

export interface IParts {
  className?: string;
  text?: string;
  title?: string;
  attributes?: Record<string, string>;
}

/** Make an element with its children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  parts: IParts = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (parts.className) {
    made.className = parts.className;
  }
  if (parts.text !== undefined) {
    made.textContent = parts.text;
  }
  if (parts.title) {
    made.title = parts.title;
  }
  for (const [name, value] of Object.entries(parts.attributes ?? {})) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Make a button that does something. */
export function button(text: string, press: () => void, title = ''): HTMLButtonElement {
  const made = element('button', { text, title, attributes: { type: 'button' } });
  made.addEventListener('click', press);
  return made;
}

/** Make a link that opens beside the notebook; only its text where there is no address. */
export function link(text: string, url: string): HTMLElement {
  if (!url) {
    return element('span', { text });
  }
  return element('a', { text, attributes: { href: url, target: '_blank', rel: 'noopener' } });
}

/** Set text, and touch the page only where it is another. */
export function setText(of: HTMLElement, text: string): void {
  if (of.textContent !== text) {
    of.textContent = text;
  }
}

/** Set an attribute, and touch the page only where it is another; null removes it. */
export function setAttribute(of: HTMLElement, name: string, value: string | null): void {
  if (value === null) {
    of.removeAttribute(name);
  } else if (of.getAttribute(name) !== value) {
    of.setAttribute(name, value);
  }
}
