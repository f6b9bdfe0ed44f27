CREATE TABLE "oauth_connection_attempts" (
	"digest" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbelt_item_id" text NOT NULL,
	"user_id" text NOT NULL,
	"server" jsonb NOT NULL,
	"redirect_uri" text NOT NULL,
	"field" text NOT NULL,
	"resource" text,
	"scopes" jsonb NOT NULL,
	"verifier" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "oauth_connections" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbelt_item_id" text NOT NULL,
	"server" jsonb NOT NULL,
	"field" text NOT NULL,
	"resource" text,
	"scopes" jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"refresh_token" text,
	"connected_by" text NOT NULL,
	"connected_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'connected' NOT NULL,
	"reason" text,
	"expires_at" timestamp (3) with time zone,
	"refresh_at" timestamp (3) with time zone,
	"sent_at" timestamp (3) with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"withdrawn" boolean DEFAULT false NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "oauth_connections_toolbelt_item_id_unique" UNIQUE("toolbelt_item_id"),
	CONSTRAINT "oauth_connection_state" CHECK ("oauth_connections"."state" in ('connected','requires_reauth'))
);
--> statement-breakpoint
CREATE TABLE "oauth_upstream_clients" (
	"account_id" text NOT NULL,
	"issuer" text NOT NULL,
	"client_id" text NOT NULL,
	"secret" text,
	"registered" text NOT NULL,
	"redirect_uri" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "oauth_upstream_clients_account_id_issuer_pk" PRIMARY KEY("account_id","issuer")
);
--> statement-breakpoint
ALTER TABLE "oauth_connection_attempts" ADD CONSTRAINT "oauth_connection_attempts_toolbelt_item_id_agent_toolbelt_items_id_fk" FOREIGN KEY ("toolbelt_item_id") REFERENCES "public"."agent_toolbelt_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "oauth_connection_attempts" ADD CONSTRAINT "oauth_connection_attempts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "oauth_connections" ADD CONSTRAINT "oauth_connections_toolbelt_item_id_agent_toolbelt_items_id_fk" FOREIGN KEY ("toolbelt_item_id") REFERENCES "public"."agent_toolbelt_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "oauth_attempt_item" ON "oauth_connection_attempts" USING btree ("toolbelt_item_id");