// Text of users in HTML and SVG.

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that no document may hold, and those that turn the direction of what follows. */
const forbidden = /(?![\t\n\r])\p{Cc}|[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

/** A lone half of a pair of UTF-16 has no form in UTF-8. */
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text as content of an element or of a quoted attribute: it can never become markup. */
export function escapeText(text: string): string {
  return text
    .replace(forbidden, '\ufffd')
    .replace(loneSurrogate, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] as string);
}

/** At most so many characters, the last one an ellipsis where something was cut. */
export function shorten(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}\u2026`;
}
