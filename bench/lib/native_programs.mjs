// The native programs are not there yet.
export async function runNative(name) {
  return [{ name, value: null, unit: '', absent: 'no native programs' }];
}
