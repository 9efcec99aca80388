import type { ReleaseId } from '../domain/ids.ts';
import type { Draw } from './draw.ts';
import type { Faults } from './faults.ts';
import type { Nature } from './scenario.ts';
import type { Cancel, Schedule } from './schedule.ts';

export type ServiceParts = {
  readonly schedule: Schedule;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly natureOf: (release: ReleaseId) => Nature;
  /** A flapping service is never well for as long as a verification needs. */
  readonly flapMs: number;
  /** From its start until it is well. */
  readonly warmUpMs: (draw: Draw, isSlow: boolean) => number;
  readonly onChange: (by: 'edge' | 'world') => void;
};

/** The application on a host: what is installed, what runs, and whether it is well. */
export class Service {
  readonly installed = new Set<ReleaseId>();
  current: ReleaseId | null = null;
  running: ReleaseId | null = null;
  isWell = false;
  readonly #parts: ServiceParts;
  #next: Cancel = () => undefined;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** It runs and is well, as it was found. */
  foundWith(release: ReleaseId, runs: boolean): void {
    this.installed.add(release);
    this.current = release;
    this.running = runs ? release : null;
    this.isWell = runs;
  }

  /** It is there, beside what is current. */
  fetch(release: ReleaseId): void {
    this.installed.add(release);
  }

  install(release: ReleaseId): void {
    this.installed.add(release);
    this.current = release;
  }

  /** The exit status that its start script will have; one that runs already is left alone. */
  exitOfStart(): number {
    if (this.running !== null) return 0;
    if (this.current === null) return 127;
    return this.#parts.natureOf(this.current) === 'does-not-start' ? 1 : 0;
  }

  start(by: 'edge' | 'world'): void {
    if (this.running !== null || this.current === null || this.exitOfStart() !== 0) return;
    this.running = this.current;
    this.#parts.onChange(by);
    this.#warmUp(this.#parts.natureOf(this.current));
  }

  /** It goes on, as what is current now. */
  reload(): void {
    if (this.running === null || this.current === null) return;
    this.running = this.current;
    this.#parts.onChange('edge');
    if (this.#parts.natureOf(this.current) !== 'good') this.#become(false);
  }

  stop(by: 'edge' | 'world'): void {
    this.#next();
    if (this.running === null) return;
    this.running = null;
    this.isWell = false;
    this.#parts.onChange(by);
  }

  wipe(): void {
    this.installed.clear();
    this.current = null;
    this.stop('world');
  }

  /** From now on it is well and unwell in turn, until it is started anew. */
  flap(): void {
    if (this.running !== null) this.#flap(!this.isWell);
  }

  #warmUp(nature: Nature): void {
    const { draw, faults, schedule, warmUpMs } = this.#parts;
    const ms = warmUpMs(draw, faults.strikes('service.slow-start'));
    const isSick = nature === 'sick' || faults.strikes('service.sick');
    const flaps = nature === 'flaps' || faults.strikes('service.flaps');
    this.#next();
    if (isSick) return;
    this.#next = schedule.after(ms, () => (flaps ? this.#flap(true) : this.#become(true)));
  }

  #flap(isWell: boolean): void {
    this.#become(isWell);
    const { schedule, draw, flapMs } = this.#parts;
    this.#next();
    this.#next = schedule.after(draw.int(Math.ceil(flapMs / 2), flapMs), () => this.#flap(!isWell));
  }

  #become(isWell: boolean): void {
    if (this.running === null || this.isWell === isWell) return;
    this.isWell = isWell;
    this.#parts.onChange('world');
  }
}
