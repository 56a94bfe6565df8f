import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MakeWay } from "../../src/git/hung/make-way.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

function one(pid = 7) {
  const git = Object.assign(new EventEmitter(), { pid }) as unknown as ChildProcess;
  const sent: string[] = [];
  const makeWay = new MakeWay((to, signal) => void sent.push(`${signal} ${to}`));
  makeWay.join(git);
  return { git, sent, makeWay };
}

it("a git of the background stops when somebody comes, and goes on a while after the last one came", () => {
  const { git, sent, makeWay } = one();
  makeWay.now();
  expect(sent).toEqual(["SIGSTOP 7"]);
  expect(makeWay.isStopped(git)).toBe(true);
  vi.advanceTimersByTime(50);
  makeWay.now();
  vi.advanceTimersByTime(50);
  expect(sent).toEqual(["SIGSTOP 7"]);
  vi.advanceTimersByTime(20);
  expect(sent).toEqual(["SIGSTOP 7", "SIGCONT 7"]);
  expect(makeWay.isStopped(git)).toBe(false);
});

it("gets a part of the time beside a stream of pushes", () => {
  const { git, makeWay } = one();
  let ran = 0;
  for (let ms = 0; ms < 10_000; ms += 1) {
    makeWay.now();
    vi.advanceTimersByTime(1);
    if (!makeWay.isStopped(git)) ran += 1;
  }
  expect(ran).toBeGreaterThan(2_000);
  expect(ran).toBeLessThan(3_500);
});

it("a git that began in a pause is not stopped in it, and one that has ended gets no signal", () => {
  const { git, sent, makeWay } = one();
  makeWay.now();
  const late = Object.assign(new EventEmitter(), { pid: 8 }) as unknown as ChildProcess;
  makeWay.join(late);
  expect(makeWay.isStopped(late)).toBe(false);
  git.emit("exit");
  vi.advanceTimersByTime(1_000);
  expect(sent).toEqual(["SIGSTOP 7"]);
  makeWay.now();
  expect(sent).toEqual(["SIGSTOP 7", "SIGSTOP 8"]);
});

it("a signal that is refused keeps nobody waiting", () => {
  const makeWay = new MakeWay(() => {
    throw new Error("EPERM");
  });
  makeWay.join(Object.assign(new EventEmitter(), { pid: 7 }) as unknown as ChildProcess);
  makeWay.now();
  vi.advanceTimersByTime(1_000);
  makeWay.now();
});
