/** Whether a name fits a pattern in which `*` stands for any letters, none too. In time that grows with both lengths only. */
export function fits(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  if (!name.startsWith(head)) return false;
  const tail = rest.pop();
  if (tail === undefined) return name === head;
  // Each part where it comes first: that leaves most for those after it.
  let at = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - tail.length >= at && name.endsWith(tail);
}
