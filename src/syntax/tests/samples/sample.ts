/*
 * Copyright the authors.
 */
import type { Reader } from "./reader";
import fs = require("fs");

export type Id = string | number;

export type Options = {
  /** Where it is. */
  path: string;
  retries?: number;
};

/** A queue. */
export interface Queue<T> extends Reader {
  readonly size: number;
  push(item: T): void;
  [index: number]: T;
}

export enum Level {
  Low = 1,
  High = "high",
}

@Injectable({
  scope: "global",
})
export abstract class Worker<T> implements Queue<T> {
  private items: T[] = [];

  constructor(private readonly options: Options) {
    this.items = load(options.path, options.retries ?? 3);
  }

  get size(): number {
    return this.items.length;
  }

  protected abstract run(item: T): Promise<void>;

  static async all<T>(
    workers: Worker<T>[],
  ): Promise<void> {
    for (const worker of workers) {
      await Promise.all(worker.items.map((item) => worker.run(item)));
    }
  }
}

export function load(path: string): string[];
export function load(path: string, retries = 3): string[] {
  const text = fs.readFileSync(path, "utf8");
  return text.split("\n").slice(retries);
}

declare module "vendor" {
  export function call(id: Id): void;
}

namespace Inner {
  export const depth = (level: Level): number => {
    return level === Level.Low ? 1 : 2;
  };
}
