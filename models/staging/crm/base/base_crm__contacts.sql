{{ typed('crm', 'contacts') }}
