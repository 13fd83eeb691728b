// `completion`: the words that a shell proposes, as the shell itself finds them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { command } from '../support/cli.mjs';

const scriptFor = async (shell) => (await command(`completion ${shell}`)).out;
const has = (shell) => spawnSync(shell, ['-c', 'true']).status === 0;

/** What a shell proposes for the last of these words. */
const PROPOSED = {
  bash: (script, words) => {
    const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _twenty_rollups; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' });
  },
  fish: (script, words) => spawnSync('fish', ['-c', `${script}\ncomplete -C '${words.join(' ')}'`], { encoding: 'utf8' }),
};

for (const [shell, proposed] of Object.entries(PROPOSED)) {
  test(`proposals of ${shell}`, { skip: !has(shell) && `there is no ${shell} here` }, async () => {
    const script = await scriptFor(shell);
    const words = (...typed) => {
      const { stdout, stderr } = proposed(script, ['twenty-rollups', ...typed]);
      assert.equal(stderr, '');
      return stdout.split('\n').filter(Boolean).map((line) => line.split('\t')[0]);
    };
    assert.deepEqual(words('reb'), ['rebuild']);
    const all = words('');
    for (const name of ['init', 'definitions', 'validate', 'plan', 'rebuild', 'drift', 'explain', 'watch', 'completion']) assert.ok(all.includes(name), name);
    assert.deepEqual(words('rebuild', '--dry'), ['--dry-run']);
    assert.deepEqual(words('rebuild', '--only', '').filter((word) => word.startsWith('--')), []);
    assert.ok(words('drift', '--').includes('--ids'));
    assert.ok(!words('drift', '--').includes('--dry-run'));
    assert.deepEqual(words('completion', 'z'), ['zsh']);
  });
}

// zsh proposes only at a keyboard: here it reads the script and knows the function.
test('zsh takes its script', { skip: !has('zsh') && 'there is no zsh here' }, async () => {
  const ask = 'autoload -Uz compinit; compinit -u -D; eval "$SCRIPT"; print -r -- ${_comps[twenty-rollups]} $+functions[_twenty_rollups]';
  const { stdout, stderr } = spawnSync('zsh', ['-fc', ask], { encoding: 'utf8', env: { ...process.env, SCRIPT: await scriptFor('zsh') } });
  assert.deepEqual([stdout.trim(), stderr], ['_twenty_rollups 1', '']);
});

test('every command and option is in each script', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { exit, out } = await command(`completion ${shell}`);
    assert.equal(exit, 0);
    for (const word of ['rebuild', 'dry-run', 'requests-per-minute', 'only']) assert.ok(out.includes(word), `${shell}: ${word}`);
  }
});

test('unknown shell', async () => {
  const { exit, err } = await command('completion powershell');
  assert.equal(exit, 2);
  assert.match(err, /Allowed choices are bash, zsh, fish/);
});
