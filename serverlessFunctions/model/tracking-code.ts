// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineObject, FieldType, OnDeleteAction, RelationType } from 'twenty-sdk/define';

import { APPEAL, APPEAL_SEGMENT, GIFT, GIFT_STAGING, TRACKING_CODE } from '../objects';

export default defineObject({
  universalIdentifier: TRACKING_CODE,
  nameSingular: 'trackingCode',
  namePlural: 'trackingCodes',
  labelSingular: 'Tracking code',
  labelPlural: 'Tracking codes',
  description: 'What a gift carries to say which appeal brought it',
  icon: 'IconTag',
  labelIdentifierFieldMetadataUniversalIdentifier: '365a9e58-a29a-53e0-9792-1ab3c72bdfb8',
  fields: [
    {
      universalIdentifier: '365a9e58-a29a-53e0-9792-1ab3c72bdfb8',
      type: FieldType.TEXT,
      name: 'name',
      label: 'Name',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: '68a8ee44-3d49-5125-a529-1072701f3d0b',
      type: FieldType.RELATION,
      name: 'gifts',
      label: 'Gifts',
      icon: 'IconGift',
      relationTargetObjectMetadataUniversalIdentifier: GIFT,
      relationTargetFieldMetadataUniversalIdentifier: '2ccf6b6a-212e-545f-a550-9df9993864a4',
      universalSettings: { relationType: RelationType.ONE_TO_MANY },
    },
    {
      universalIdentifier: '91798e9a-b496-5dd5-bd33-a20f81c97a88',
      type: FieldType.RELATION,
      name: 'giftStagings',
      label: 'Gift stagings',
      icon: 'IconInbox',
      relationTargetObjectMetadataUniversalIdentifier: GIFT_STAGING,
      relationTargetFieldMetadataUniversalIdentifier: '36a97152-5a1b-5ead-9a5e-d88c905569a6',
      universalSettings: { relationType: RelationType.ONE_TO_MANY },
    },
    {
      universalIdentifier: '789391ec-3d6f-5dec-8994-b741eb6f7f49',
      type: FieldType.TEXT,
      name: 'code',
      label: 'Code',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: 'a886c47d-8e3b-5cb6-aa50-627bf43728e8',
      type: FieldType.TEXT,
      name: 'channel',
      label: 'Channel',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: 'de65ed9e-ecb2-5677-980f-08e499089d4c',
      type: FieldType.RELATION,
      name: 'appeal',
      label: 'Appeal',
      icon: 'IconSpeakerphone',
      relationTargetObjectMetadataUniversalIdentifier: APPEAL,
      relationTargetFieldMetadataUniversalIdentifier: '8c8f6a2a-5448-5d27-bf45-f1fcc1997752',
      universalSettings: { relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: 'appealId' },
    },
    {
      universalIdentifier: 'f502ca92-eee2-52d7-bb2a-2a7827a696c2',
      type: FieldType.RELATION,
      name: 'appealSegment',
      label: 'Appeal segment',
      icon: 'IconUsersGroup',
      relationTargetObjectMetadataUniversalIdentifier: APPEAL_SEGMENT,
      relationTargetFieldMetadataUniversalIdentifier: 'b61df20f-5965-5466-9bb1-8cb6179c038b',
      universalSettings: { relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: 'appealSegmentId' },
    },
  ],
});
