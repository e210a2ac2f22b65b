/** Reads what the kernel says of an error that it shows, for buttons beside it. */

import { ILogPosition, readPosition } from './logContent';
import { count, fields, items, text, webAddress } from './reading';

export const ERROR_MIME = 'application/vnd.spark-kernel.error.v1+json';
const MOST_ERRORS = 20;

export interface IStage {
  id: number;
  attempt: number;
  /** Its page in Spark's UI; empty where there is none. */
  url: string;
}

export interface IError {
  cellId: string;
  applicationId: string;
  /** The stages that failed. */
  stages: IStage[];
  /** Where the log ended when the error was shown. */
  log: ILogPosition | null;
}

/** Read the content of the MIME type. */
export function readError(content: unknown): IError {
  const of = fields(content);
  const stages = items(of.errors, MOST_ERRORS)
    .filter(error => typeof fields(error.stage).id === 'number')
    .map(error => fields(error.stage))
    .map(one => ({ id: count(one.id), attempt: count(one.attempt), url: webAddress(one.url) }));
  return {
    cellId: text(of.cell_id, 200),
    applicationId: text(of.application_id, 120),
    stages: stages.filter((one, i) => stages.findIndex(other => other.id === one.id) === i),
    log: readPosition(of.log)
  };
}
