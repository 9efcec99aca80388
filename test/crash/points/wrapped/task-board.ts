import {
  httpTaskBoard as realBoard,
  type WorkerCalls,
} from '../../../../src/adapters/http-task-board/task-board.ts';
import type { TaskBoard } from '../../../../src/ports/task-board.ts';
import { BOARD, pointed } from '../pointed.ts';

export const httpTaskBoard = (calls: WorkerCalls): TaskBoard => pointed(realBoard(calls), BOARD);
