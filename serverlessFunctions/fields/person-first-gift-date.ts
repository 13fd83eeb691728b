import { defineField, FieldType } from 'twenty-sdk/define';

import { PERSON } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '8d894a86-0c26-4ead-986c-03b93bc7b42d',
  objectUniversalIdentifier: PERSON,
  type: FieldType.DATE,
  name: 'firstGiftDate',
  label: 'First gift date',
  description: 'Day of the earliest gift; kept by the rollup engine',
  icon: 'IconCalendar',
});
