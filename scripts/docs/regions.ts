/** Replaces what stands between `<!-- generated:NAME -->` and the next `<!-- /generated -->`. */
export function replaceRegion(text: string, name: string, content: string): string {
  const open = `<!-- generated:${name} -->`;
  const close = '<!-- /generated -->';
  const start = text.indexOf(open);
  const end = text.indexOf(close, start);
  if (start < 0 || end < 0) throw new Error(`lacks the region ${open} … ${close}`);
  return `${text.slice(0, start + open.length)}\n${content.trim()}\n${text.slice(end)}`;
}
