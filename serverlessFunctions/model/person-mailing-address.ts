// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType } from 'twenty-sdk/define';

import { PERSON } from '../objects';

export default defineField({
  universalIdentifier: '24d4f7d8-ddbf-5186-af32-69e8f112714b',
  objectUniversalIdentifier: PERSON,
  type: FieldType.ADDRESS,
  name: 'mailingAddress',
  label: 'Mailing address',
  icon: 'IconMap',
});
