import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from 'react';
import type { DeploymentRow } from '../../../src/api/contract.ts';
import { whatOf } from '../../../src/words/format.ts';

type Choice = { readonly label: string; readonly hint: string; readonly go: () => void };

const MOST = 12;

/** Everywhere by keyboard: Ctrl-K, a few letters, Enter. */
export function Palette({ deployments }: { readonly deployments: readonly DeploymentRow[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const choices = useChoices(deployments)
    .filter(({ label, hint }) => matches(`${label} ${hint}`, text))
    .slice(0, MOST);
  useOpening(dialog);
  const choose = (choice: Choice | undefined) => {
    dialog.current?.close();
    setText('');
    choice?.go();
  };
  return (
    <>
      <button type="button" className="quiet go-to" onClick={() => dialog.current?.showModal()}>
        Go to <kbd>Ctrl K</kbd>
      </button>
      <dialog ref={dialog} className="palette" aria-label="Go to">
        <Choices {...{ text, choices, choose }} onText={setText} />
      </dialog>
    </>
  );
}

function useOpening(dialog: RefObject<HTMLDialogElement | null>): void {
  useEffect(() => {
    const open = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (!dialog.current?.open) dialog.current?.showModal();
    };
    addEventListener('keydown', open);
    return () => removeEventListener('keydown', open);
  }, [dialog]);
}

type ChoicesProps = {
  readonly text: string;
  readonly choices: readonly Choice[];
  readonly choose: (choice: Choice | undefined) => void;
  readonly onText: (text: string) => void;
};

function Choices({ text, choices, choose, onText }: ChoicesProps) {
  const [at, setAt] = useState(0);
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    if (step !== 0) setAt((at + step + choices.length) % Math.max(1, choices.length));
    if (event.key === 'Enter') choose(choices[at]);
    if (step !== 0 || event.key === 'Enter') event.preventDefault();
  };
  return (
    <>
      <input
        role="combobox"
        aria-label="Where to"
        aria-expanded="true"
        aria-controls="choices"
        aria-activedescendant={choices[at] ? `choice-${at}` : undefined}
        placeholder="A page, a project, an environment, a deployment"
        value={text}
        onChange={({ target }) => {
          setAt(0);
          onText(target.value);
        }}
        onKeyDown={onKey}
      />
      <div id="choices" role="listbox" aria-label="Places">
        {choices.map((choice, n) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above
          <div
            key={`${choice.label} ${choice.hint}`}
            id={`choice-${n}`}
            role="option"
            tabIndex={-1}
            aria-selected={n === at}
            onClick={() => choose(choice)}
          >
            <span>{choice.label}</span> <span className="dim">{choice.hint}</span>
          </div>
        ))}
        {choices.length === 0 && (
          <div role="option" tabIndex={-1} aria-selected="false" aria-disabled="true" className="dim">
            Nothing is called that
          </div>
        )}
      </div>
    </>
  );
}

function useChoices(deployments: readonly DeploymentRow[]): readonly Choice[] {
  const navigate = useNavigate();
  const pages: readonly Choice[] = [
    { label: 'Now', hint: 'what is going on', go: () => void navigate({ to: '/' }) },
    { label: 'Environments', hint: 'what runs where', go: () => void navigate({ to: '/environments' }) },
  ];
  const those = deployments.map(
    (row): Choice => ({
      label: `${row.project} → ${row.environment} ${whatOf(row)}`,
      hint: `${row.status} ${row.id}`,
      go: () => void navigate({ to: '/deployments/$deployment', params: { deployment: row.id } }),
    }),
  );
  return [...pages, ...those];
}

/** Each word of what was typed is in it. */
const matches = (label: string, text: string): boolean =>
  text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => label.toLowerCase().includes(word));
