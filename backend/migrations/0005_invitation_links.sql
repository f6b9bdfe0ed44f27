ALTER TABLE "account_invitations" ADD COLUMN "digest" text;--> statement-breakpoint
ALTER TABLE "account_invitations" ADD CONSTRAINT "account_invitations_digest_unique" UNIQUE("digest");