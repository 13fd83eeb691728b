/**
 * A built app as its manifest describes it: its functions with the paths of their bundles, what triggers them, what
 * its role may do to which object, and the values of its variables. Reads files, runs nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Standard objects by universal identifier, as far as the rollup app names them. */
const STANDARD_OBJECTS = {
  '20202020-e674-48e5-a542-72570eee7213': 'person',
  '20202020-b374-4779-a561-80086cb2e17f': 'company',
  '20202020-9549-49dd-b2b2-883999db8938': 'opportunity',
};

/**
 * @param {string} output the folder that the SDK's CLI built
 * @param {Record<string, string>} [objects] names of further objects by universal identifier, for an app that leaves
 *   its model out
 */
export const readApp = (output, objects = {}) => {
  const file = join(output, 'manifest.json');
  if (!existsSync(file)) throw new Error(`no app in \`${output}\`: build it with node serverlessFunctions/build.mjs`);
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const names = { ...STANDARD_OBJECTS, ...objects };
  for (const { universalIdentifier, nameSingular } of manifest.objects) names[universalIdentifier] = nameSingular;

  const functions = manifest.logicFunctions.map((entry) => ({ ...entry, bundle: join(output, entry.builtHandlerPath) }));
  const role = manifest.roles.find(
    ({ universalIdentifier }) => universalIdentifier === manifest.application.defaultRoleUniversalIdentifier,
  );
  const permissions = Object.fromEntries(
    role.objectPermissions.map(({ objectUniversalIdentifier, ...given }) => [names[objectUniversalIdentifier], given]),
  );
  const hook = manifest.application.postInstallLogicFunction?.universalIdentifier;
  const version = JSON.parse(readFileSync(join(output, 'package.json'), 'utf8')).version;

  return {
    manifest,
    names,
    version,
    functions,
    function: (id) => functions.find(({ universalIdentifier, name }) => universalIdentifier === id || name === id),
    permissions,
    mayRead: (object) => Boolean(permissions[object]?.canReadObjectRecords),
    postInstall: functions.find(({ universalIdentifier }) => universalIdentifier === hook),
    variables: Object.fromEntries(
      Object.entries(manifest.application.applicationVariables ?? {}).map(([name, { value }]) => [name, String(value ?? '')]),
    ),
  };
};
