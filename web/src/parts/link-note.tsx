import type { Link } from '../live/link.ts';

/** Whether what is shown is of this moment: what was seen last stays while the server is away. */
export function LinkNote({ link }: { readonly link: Link }) {
  return (
    <span className={`link-note is-${link.kind === 'broken' ? 'paused' : 'succeeded'}`} role="status">
      {link.kind === 'live' && <span title="Every change is shown as it happens">● live</span>}
      {link.kind === 'opening' && '○ connecting'}
      {link.kind === 'broken' && <span title={link.why}>▲ no connection; trying again</span>}
    </span>
  );
}
