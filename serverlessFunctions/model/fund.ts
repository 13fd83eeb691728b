// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineObject, FieldType, RelationType } from 'twenty-sdk/define';

import { FUND, GIFT, GIFT_STAGING } from '../objects';

export default defineObject({
  universalIdentifier: FUND,
  nameSingular: 'fund',
  namePlural: 'funds',
  labelSingular: 'Fund',
  labelPlural: 'Funds',
  description: 'What gifts are given for',
  icon: 'IconPigMoney',
  labelIdentifierFieldMetadataUniversalIdentifier: '6e56ffd6-8d5b-545e-acd3-fe6c46c19dba',
  fields: [
    {
      universalIdentifier: '6e56ffd6-8d5b-545e-acd3-fe6c46c19dba',
      type: FieldType.TEXT,
      name: 'name',
      label: 'Name',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: 'a23e42ec-554e-53b4-afc0-6724f2d47a2f',
      type: FieldType.RELATION,
      name: 'gifts',
      label: 'Gifts',
      icon: 'IconGift',
      relationTargetObjectMetadataUniversalIdentifier: GIFT,
      relationTargetFieldMetadataUniversalIdentifier: 'fdfbc1b4-d1f2-556c-be06-240899a42049',
      universalSettings: { relationType: RelationType.ONE_TO_MANY },
    },
    {
      universalIdentifier: '137f69ab-cbb8-5bd6-a2d3-598be4aa88ac',
      type: FieldType.RELATION,
      name: 'giftStagings',
      label: 'Gift stagings',
      icon: 'IconInbox',
      relationTargetObjectMetadataUniversalIdentifier: GIFT_STAGING,
      relationTargetFieldMetadataUniversalIdentifier: 'fea99301-5b4c-5e7d-825e-c5fc67b6de79',
      universalSettings: { relationType: RelationType.ONE_TO_MANY },
    },
    {
      universalIdentifier: 'ac26bd70-9610-5968-9193-410ffc3b819e',
      type: FieldType.TEXT,
      name: 'code',
      label: 'Code',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: 'b06db402-1ffc-5c33-abf9-c2a6d99d3a30',
      type: FieldType.TEXT,
      name: 'description',
      label: 'Description',
      icon: 'IconAbc',
    },
  ],
});
