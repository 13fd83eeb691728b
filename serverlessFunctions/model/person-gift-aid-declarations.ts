// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { GIFT_AID_DECLARATION, PERSON } from '../objects';

export default defineField({
  universalIdentifier: '0a013e6a-2928-5ec5-bb08-3f913d30fc88',
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'giftAidDeclarations',
  label: 'Gift aid declarations',
  icon: 'IconFileCertificate',
  relationTargetObjectMetadataUniversalIdentifier: GIFT_AID_DECLARATION,
  relationTargetFieldMetadataUniversalIdentifier: 'f4e3eb4b-353e-52a3-9bb7-8cb57dcef435',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
