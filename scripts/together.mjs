import { availableParallelism } from "node:os";

/** `work` of each item, as many at a time as there are cores: a compilation takes one for some seconds. */
export async function together(items, work) {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let item = waiting.shift(); item; item = waiting.shift()) await work(item);
    }),
  );
}
