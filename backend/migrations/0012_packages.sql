CREATE TABLE "image_archives" (
	"account_id" text NOT NULL,
	"digest" text NOT NULL,
	"size" bigint NOT NULL,
	"received" bigint DEFAULT 0 NOT NULL,
	"state" text DEFAULT 'receiving' NOT NULL,
	"image" text,
	"architecture" text,
	"changed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "image_archives_account_id_digest_pk" PRIMARY KEY("account_id","digest"),
	CONSTRAINT "image_state_known" CHECK ("image_archives"."state" in ('receiving','ready'))
);
--> statement-breakpoint
CREATE TABLE "tool_catalog" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"tool_id" text NOT NULL,
	"recipe" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "registry_credentials" (
	"account_id" text NOT NULL,
	"registry" text NOT NULL,
	"username" text NOT NULL,
	"password" text NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "registry_credentials_account_id_registry_pk" PRIMARY KEY("account_id","registry")
);
--> statement-breakpoint
ALTER TABLE "account_tool_instances" ADD COLUMN "recipe" jsonb;--> statement-breakpoint
CREATE INDEX "image_state" ON "image_archives" USING btree ("state","changed_at");--> statement-breakpoint
CREATE UNIQUE INDEX "own_tool_once" ON "tool_catalog" USING btree ("account_id","tool_id");