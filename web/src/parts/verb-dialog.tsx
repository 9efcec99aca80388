import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Fault } from './notes.tsx';

export type VerbDialogProps = {
  readonly title: string;
  /** What comes of it. */
  readonly what: string;
  readonly verb: string;
  /** It ends something, or takes something back. */
  readonly isGrave?: boolean;
  readonly onSay: (reason: string) => Promise<unknown>;
  readonly onClose: () => void;
};

/** A verb of an operator, with the reason that stands in the record. What refuses it is shown here, and the reason stays. */
export function VerbDialog({ title, what, verb, isGrave = false, onSay, onClose }: VerbDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get('reason') ?? '').trim();
    setBusy(true);
    setError(null);
    try {
      await onSay(reason);
      onClose();
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} className="verb" onClose={onClose} aria-labelledby="verb-title">
      <form onSubmit={submit}>
        <h2 id="verb-title">{title}</h2>
        <p className="dim">{what}</p>
        <label htmlFor="reason">Reason</label>
        <textarea
          id="reason"
          name="reason"
          rows={2}
          required
          maxLength={1_000}
          placeholder="Kept in the record"
        />
        {error !== null && <Fault error={error} />}
        <div className="actions">
          <button type="button" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" className={`main ${isGrave ? 'grave' : ''}`} disabled={isBusy}>
            {verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}
