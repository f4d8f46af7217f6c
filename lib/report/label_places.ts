// Where labels go that would lie on each other.

/**
 * Places for labels of this height along a line, as near to where they are wanted as can be, within [low, high], in the order
 * of the wishes; answers are in the order of the arguments. Where there is too little room they lie closer.
 */
export function dodge(wishes: readonly number[], height: number, low: number, high: number): number[] {
  const order = wishes.map((_, i) => i).sort((a, b) => (wishes[a] as number) - (wishes[b] as number) || a - b);
  const gap = wishes.length < 2 ? height : Math.min(height, (high - low) / (wishes.length - 1));
  const placed = new Array<number>(wishes.length).fill(0);
  // Groups of labels that touch move together, each to the mean of its wishes.
  const groups: { first: number; size: number; sum: number }[] = [];
  const startOf = ({ size, sum }: { size: number; sum: number }) => {
    const start = sum / size - ((size - 1) * gap) / 2;
    return Math.min(Math.max(start, low), high - (size - 1) * gap);
  };
  order.forEach((index, position) => {
    groups.push({ first: position, size: 1, sum: Math.min(Math.max(wishes[index] as number, low), high) });
    for (;;) {
      const last = groups.at(-1);
      const before = groups.at(-2);
      if (last === undefined || before === undefined) break;
      if (startOf(before) + before.size * gap <= startOf(last) + 1e-9) break;
      groups.splice(-2, 2, { first: before.first, size: before.size + last.size, sum: before.sum + last.sum });
    }
  });
  for (const group of groups) {
    for (let i = 0; i < group.size; i++) placed[order[group.first + i] as number] = startOf(group) + i * gap;
  }
  return placed;
}
