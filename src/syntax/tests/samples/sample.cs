using System;
using System.Collections.Generic;

namespace Shop.Model
{
    /// <summary>
    /// A customer of the shop.
    /// </summary>
    [Serializable]
    public class Customer : Person, IEquatable<Customer>
    {
        private const int Limit = 10;
        private readonly List<string> orders = new();

        /// <summary>The name.</summary>
        public string Name { get; set; }

        public int Count => orders.Count + Limit - Math.Max(Limit, orders.Count);

        public string First
        {
            get { return orders[0]; }
            set { orders[0] = value ?? throw new ArgumentNullException(); }
        }

        public Customer(string name) : base(name)
        {
            Name = name;
            orders.Add($"first order of {name}");
        }

        public async Task<bool> OrderAsync(
            string what,
            int count)
        {
            await Store.PutAsync(what, count);
            return count > 0;
        }

        public static bool operator ==(Customer a, Customer b) => a.Name == b.Name;
    }

    public enum Size { Small, Large }

    public interface IStore
    {
        Task PutAsync(string what, int count);
    }

    public record Point(int X, int Y);

    public delegate void Changed(object sender);
}
